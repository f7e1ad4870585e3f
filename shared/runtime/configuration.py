"""The environment variables that the shell reads. A service's own are in its settings.py, the launcher's in
payung/configuration.py."""

from __future__ import annotations

from shared.runtime.settings import Choice, File, Hosts, Integer, Number, ProcessName, Setting, Text, Url, YesNo

# How to reach the servers: services and the payung command read these.
KAFKA = Hosts("PAYUNG_KAFKA", "the brokers", "127.0.0.1:8192")
KAFKA_AUTH = Choice("PAYUNG_KAFKA_AUTH", "says that the broker asks nobody who they are", words=("none",))
KAFKA_MECHANISM = Choice(
    "PAYUNG_KAFKA_MECHANISM",
    "how to log in",
    "SCRAM-SHA-256 where a user is named",
    words=("SCRAM-SHA-256", "SCRAM-SHA-512", "PLAIN", "OAUTHBEARER"),
)
KAFKA_USER = Text("PAYUNG_KAFKA_USER", "the user at the broker")
KAFKA_PASSWORD = Text("PAYUNG_KAFKA_PASSWORD", "the user's password", secret=True)
KAFKA_CA = File("PAYUNG_KAFKA_CA", "the CA of the broker's certificate; with it every connection uses TLS")
KAFKA_CERT = File("PAYUNG_KAFKA_CERT", "a client certificate, with `PAYUNG_KAFKA_KEY`")
KAFKA_KEY = File("PAYUNG_KAFKA_KEY", "the key of the client certificate")
KAFKA_TOKEN_PATH = File("PAYUNG_KAFKA_TOKEN_PATH", "OAUTHBEARER: a file that another program keeps fresh")
KAFKA_TOKEN_URL = Url("PAYUNG_KAFKA_TOKEN_URL", "OAUTHBEARER: the issuer of tokens, https")
KAFKA_TOKEN_CA = File("PAYUNG_KAFKA_TOKEN_CA", "OAUTHBEARER: the CA of the issuer's certificate", "the system's CAs")
KAFKA_CLIENT_ID = Text("PAYUNG_KAFKA_CLIENT_ID", "OAUTHBEARER: the client at the issuer")
KAFKA_CLIENT_SECRET = Text("PAYUNG_KAFKA_CLIENT_SECRET", "OAUTHBEARER: the client's secret", secret=True)
KAFKA_SCOPE = Text("PAYUNG_KAFKA_SCOPE", "OAUTHBEARER: the scope to ask for")
SESSION_TIMEOUT_MS = Integer(
    "PAYUNG_SESSION_TIMEOUT_MS",
    "a consumer that is silent for so many milliseconds loses its partitions",
    "45000",
    least=6_000,
    most=1_800_000,
    default=45_000,
)
MONGO_URL = Text(
    "PAYUNG_MONGO_URL", "the URL of the replica set", "mongodb://127.0.0.1:8117/?replicaSet=rs0", secret=True
)
MONGO_AUTH = Choice("PAYUNG_MONGO_AUTH", "says that the database asks nobody who they are", words=("none",))
MONGO_DRIVER = Choice("PAYUNG_MONGO_DRIVER", "the driver of MongoDB", "motor", words=("motor", "pymongo"))
CREDENTIALS = File("PAYUNG_CREDENTIALS", "a log-in file, in place of the settings of users and passwords")
REPLICATION = Integer(
    "PAYUNG_KAFKA_REPLICATION", "copies of a new topic", "3, or as many as there are brokers", least=1, most=99
)
MIN_INSYNC = Integer(
    "PAYUNG_KAFKA_MIN_INSYNC", "how many copies must have a record before it counts", "2, or 1 of 1", least=1, most=99
)
ONE_BROKER = YesNo(
    "PAYUNG_KAFKA_ONE_BROKER", "says that one broker is meant, and that its disk may lose everything", "no"
)
FIELD_KEYS = Text(
    "PAYUNG_FIELD_KEYS",
    "the keys that seal personal fields: NAME:BASE64 of 32 bytes, with commas; the first one seals. "
    "`PAYUNG_FIELD_KEYS_BILLING` and so on are for one service",
    secret=True,
)
ID_KEY = Text(
    "PAYUNG_ID_KEY",
    "the key of worker ids, BASE64 of 32 bytes; registration and claims need the same, and claims does not run with "
    "another",
    secret=True,
)
CONNECTING: tuple[Setting, ...] = (
    KAFKA,
    KAFKA_AUTH,
    KAFKA_MECHANISM,
    KAFKA_USER,
    KAFKA_PASSWORD,
    KAFKA_CA,
    KAFKA_CERT,
    KAFKA_KEY,
    KAFKA_TOKEN_PATH,
    KAFKA_TOKEN_URL,
    KAFKA_TOKEN_CA,
    KAFKA_CLIENT_ID,
    KAFKA_CLIENT_SECRET,
    KAFKA_SCOPE,
    SESSION_TIMEOUT_MS,
    MONGO_URL,
    MONGO_AUTH,
    MONGO_DRIVER,
    CREDENTIALS,
    REPLICATION,
    MIN_INSYNC,
    ONE_BROKER,
    FIELD_KEYS,
    ID_KEY,
)

# What only a service reads.
HTTP_PORT = Integer("PAYUNG_HTTP_PORT", "the port of this service", "8101 to 8105, by service", least=1, most=65_535)
HTTP_HOST = Text("PAYUNG_HTTP_HOST", "the address on which it listens", "127.0.0.1")
HTTP_PUBLISHED = Choice(
    "PAYUNG_HTTP_PUBLISHED",
    "says that a container's port is published on loopback only, so that `PAYUNG_AUTH=none` is safe",
    words=("loopback",),
)
HTTP_NAMES = Text("PAYUNG_HTTP_NAMES", "further host names that a request may name, with commas")
AUTH = Url("PAYUNG_AUTH", "the OIDC issuer of the callers' tokens; `none` lets every caller do everything", word="none")
AUTH_AUDIENCE = Text("PAYUNG_AUTH_AUDIENCE", "the audience that a token must name", "payung")
LOG = Choice("PAYUNG_LOG", "log lines for people or for machines", "console", words=("console", "json"))
INSTANCE = ProcessName(
    "PAYUNG_INSTANCE", "a fixed name of this process: after a kill it has its partitions back at once"
)
ACCEPT_TOPIC = Text("PAYUNG_ACCEPT_TOPIC", "accepts topics that were made anew, once: names with commas, or `all`")
ACCEPT_AHEAD = Choice("PAYUNG_ACCEPT_AHEAD", "goes on, once, with a store that is older than the log", words=("all",))
FLOOD_LETTERS = Integer(
    "PAYUNG_FLOOD_LETTERS",
    "dead letters of one intake topic within the window that pause it; 0 switches the check off",
    "1000",
    default=1_000,
)
FLOOD_OWN_LETTERS = Integer(
    "PAYUNG_FLOOD_OWN_LETTERS",
    "dead letters of one of our own topics that stop the service; 0 switches the check off",
    "100",
    default=100,
)
FLOOD_SHARE = Number(
    "PAYUNG_FLOOD_SHARE", "and at least this share of what was read of the topic", "0.5", most=1, default=0.5
)
FLOOD_WINDOW_S = Number("PAYUNG_FLOOD_WINDOW_S", "the window, in seconds", "60", least=1, default=60)
FLOOD_PAUSE_S = Number("PAYUNG_FLOOD_PAUSE_S", "the first pause, in seconds", "60", least=1, default=60)
FLOOD_PAUSE_MAX_S = Number("PAYUNG_FLOOD_PAUSE_MAX_S", "the longest pause, in seconds", "3600", least=1, default=3_600)
SERVING: tuple[Setting, ...] = (
    HTTP_PORT,
    HTTP_HOST,
    HTTP_PUBLISHED,
    HTTP_NAMES,
    AUTH,
    AUTH_AUDIENCE,
    LOG,
    INSTANCE,
    ACCEPT_TOPIC,
    ACCEPT_AHEAD,
    FLOOD_LETTERS,
    FLOOD_OWN_LETTERS,
    FLOOD_SHARE,
    FLOOD_WINDOW_S,
    FLOOD_PAUSE_S,
    FLOOD_PAUSE_MAX_S,
)
SHELL = (*CONNECTING, *SERVING)
