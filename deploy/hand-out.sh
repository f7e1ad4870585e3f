#!/bin/sh
# Gives Kafka and MongoDB their secrets: each in a volume of its own, with the owner that its official image runs as.
# /private holds what make-keys.sh and make-certs.sh made; /kafka and /mongo are the volumes. Runs before the servers.
set -eu
umask 077
KAFKA=1000:1000
MONGO=999:999
for file in broker mongo.key ca.pem server.pem; do
  [ -s "/private/$file" ] || { echo "no $file: run deploy/make-keys.sh and deploy/make-certs.sh" >&2; exit 1; }
done

# A file is replaced whole: a server that starts meanwhile reads the old or the new one. The image of Kafka copies its files
# at each start over those of the start before, so their owner may write them.
give() {
  cat > "$3.new"
  chmod "$2" "$3.new"
  chown "$1" "$3.new"
  mv "$3.new" "$3"
}

user=payung-servers
password=$(cat /private/broker)
plain=org.apache.kafka.common.security.plain.PlainLoginModule
# The image appends the settings of its environment to these; so no password is in an environment.
known="$plain required username=\"$user\" password=\"$password\" user_$user=\"$password\";"
{
  echo "listener.name.internal.plain.sasl.jaas.config=$known"
  echo "listener.name.controller.plain.sasl.jaas.config=$known"
} | give $KAFKA 600 /kafka/server.properties
{
  echo "security.protocol=SASL_SSL"
  echo "sasl.mechanism=PLAIN"
  echo "sasl.jaas.config=$plain required username=\"$user\" password=\"$password\";"
  echo "ssl.truststore.type=PEM"
  echo "ssl.truststore.location=/mnt/shared/config/ca.pem"
} | give $KAFKA 600 /kafka/client.properties
give $KAFKA 600 /kafka/server.pem < /private/server.pem
give $KAFKA 644 /kafka/ca.pem < /private/ca.pem
give $MONGO 400 /mongo/server.pem < /private/server.pem
give $MONGO 400 /mongo/mongo.key < /private/mongo.key
give $MONGO 444 /mongo/ca.pem < /private/ca.pem
chown $KAFKA /kafka
chown $MONGO /mongo
chmod 700 /kafka /mongo
