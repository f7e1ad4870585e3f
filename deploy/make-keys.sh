#!/bin/sh
# Prints a fresh set of secrets as an .env file: deploy/make-keys.sh > .env  (once; keep it, back it up, never commit it)
# Each service has its own field keys. Only the owner may read the file.
set -eu
if [ -f /dev/stdout ]; then
  chmod 600 /dev/stdout || echo "chmod 600 it: others on this machine can read the file" >&2
fi
key() { head -c 32 /dev/urandom | base64; }
echo "PAYUNG_ID_KEY=$(key)"
for service in REGISTRATION VERIFICATION BILLING CLAIMS REPORTING; do
  echo "PAYUNG_FIELD_KEYS_$service=k1:$(key)"
done
