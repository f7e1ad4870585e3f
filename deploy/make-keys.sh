#!/bin/sh
# Makes the secrets of a Docker installation: .env (keys) and deploy/private (what the servers know each other by).
# It keeps what exists and makes what is missing, so you can call it again, and after an upgrade.
# Back both up, never commit them. Only their owner can read them.
# Usage: deploy/make-keys.sh [ENV-FILE [FOLDER]]
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
env=${1:-$here/../.env}
private=${2:-$here/private}
services="registration verification billing claims reporting"

random() { head -c "$1" /dev/urandom | base64 | tr -d '\n'; }
has() { grep -q "^$1=" "$env"; }
add() { has "$1" || echo "$1=$2" >> "$env"; }
secret() { [ -s "$1" ] || { printf '%s' "$2" > "$1.new" && mv "$1.new" "$1"; }; }

touch "$env"
chmod 600 "$env"
# A last line without an end would swallow the first one of ours.
[ -z "$(tail -c 1 "$env")" ] || echo >> "$env"
add PAYUNG_ID_KEY "$(random 32)"
# An older installation has one variable for all services, and its stores are sealed with it: each service keeps it.
shared=$(sed -n 's/^PAYUNG_FIELD_KEYS=//p' "$env")
for service in $services; do
  add "PAYUNG_FIELD_KEYS_$(echo "$service" | tr a-z A-Z)" "${shared:-k1:$(random 32)}"
done

mkdir -p "$private/servers" "$private/credentials/services"
for service in $services; do mkdir -p "$private/credentials/services/$service"; done
# Letters and digits: Kafka reads it between quotation marks. MongoDB takes base64.
secret "$private/servers/broker" "$(head -c 32 /dev/urandom | od -An -v -tx1 | tr -d ' \n')"
secret "$private/servers/mongo.key" "$(random 96)"
chmod -R go= "$private"

# Containers that read log-ins run as the owner of the files. When that is root, the files go to the images' user.
if [ "$(id -u)" = 0 ]; then
  user=10001:10001
  chown -R "$user" "$private"
else
  user=$(id -u):$(id -g)
fi
add PAYUNG_USER "$user"
# Here the payung command finds the log-ins.
add PAYUNG_CREDENTIALS_FOLDER "$(cd "$private/credentials" && pwd)"
