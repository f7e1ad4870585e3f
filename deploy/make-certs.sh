#!/bin/sh
# Makes the certificates of Kafka and MongoDB in deploy/private: an authority (ten years) and one certificate of both
# servers (825 days), for the names kafka, mongo, localhost and 127.0.0.1, and for the names that you give.
# It never overwrites. To renew the servers' certificate, remove deploy/private/servers/server.pem and call it again.
# Usage: deploy/make-certs.sh [DNS:NAME|IP:ADDRESS ...]       (PAYUNG_PRIVATE: another folder)
set -eu
umask 077
private=${PAYUNG_PRIVATE:-$(cd "$(dirname "$0")" && pwd)/private}
servers=$private/servers
names=DNS:kafka,DNS:mongo,DNS:localhost,IP:127.0.0.1
for name in "$@"; do names=$names,$name; done

if [ -e "$servers/server.pem" ]; then
  echo "$servers/server.pem exists; nothing was made" >&2
  exit 1
fi
mkdir -p "$servers"
aside=$(mktemp -d "$private/certs.XXXXXX")
trap 'rm -rf "$aside"' EXIT
cat > "$aside/settings" <<SETTINGS
[req]
distinguished_name = name
prompt = no
[name]
CN = Payung
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = $names
SETTINGS
new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

# A new authority would lock out every client that trusts the old one, so make it only when there is none at all.
if [ ! -e "$private/ca.key" ] && [ ! -e "$servers/ca.pem" ]; then
  new_key "$aside/ca.key"
  openssl req -x509 -new -sha256 -days 3650 -key "$aside/ca.key" -config "$aside/settings" -extensions authority \
    -subj "/CN=Payung CA" -out "$aside/ca.pem"
  mv "$aside/ca.key" "$private/ca.key"
  mv "$aside/ca.pem" "$servers/ca.pem"
fi
if [ ! -e "$private/ca.key" ] || [ ! -e "$servers/ca.pem" ]; then
  echo "$private/ca.key and $servers/ca.pem belong together, and one is missing; nothing was made" >&2
  exit 1
fi
new_key "$aside/server.key"
openssl req -new -sha256 -key "$aside/server.key" -config "$aside/settings" -subj "/CN=Payung servers" \
  -out "$aside/server.csr"
openssl x509 -req -sha256 -days 825 -in "$aside/server.csr" -CA "$servers/ca.pem" -CAkey "$private/ca.key" \
  -set_serial "0x$(openssl rand -hex 16)" -extfile "$aside/settings" -extensions server -out "$aside/server.crt" \
  2> "$aside/said" || { cat "$aside/said" >&2; exit 1; }
cat "$aside/server.key" "$aside/server.crt" "$servers/ca.pem" > "$aside/server.pem"
mv "$aside/server.pem" "$servers/server.pem"

# As in make-keys.sh: the files of root go to the user of the containers, except the authority's key.
if [ "$(id -u)" = 0 ]; then
  chown 10001:10001 "$private" "$servers" "$servers/ca.pem" "$servers/server.pem"
fi
