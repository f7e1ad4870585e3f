#!/bin/sh
# Prints a fresh set of secrets as an .env file: deploy/make-keys.sh > .env  (once; keep it, back it up, never commit it)
key() { head -c 32 /dev/urandom | base64; }
echo "PAYUNG_ID_KEY=$(key)"
echo "PAYUNG_FIELD_KEYS=k1:$(key)"
