package config

import (
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/domain"
	"github.com/ticketrail/ticketrail/domain/provider"
)

// Config is the whole configuration. The names of its keys, of their environment
// variables and of the flags are all made from its yaml tags, and the reference of
// the help beside them.
type Config struct {
	// Data is the folder of the embedded stream and the read models. A relative
	// path counts from the working directory.
	Data    string  `yaml:"data" help:"Folder of the stream, the archive and the read model."`
	Ingest  Ingest  `yaml:"ingest"`
	API     API     `yaml:"api"`
	NATS    NATS    `yaml:"nats"`
	Stream  Stream  `yaml:"stream"`
	Archive Archive `yaml:"archive"`
	Rebuild Rebuild `yaml:"rebuild"`
	Orders  Orders  `yaml:"orders"`
	Traces  Traces  `yaml:"traces"`
	// Limits are those of every source, by state.
	Limits  Limits   `yaml:"limits" help:"How long an order may be in a state before it is late; a state that is not named keeps its default, 0 is no limit."`
	Sources []Source `yaml:"sources" help:"The endpoints. Without any, the first start makes one for each provider; the variable holds the whole list, as YAML."`
	// Mappings are files of providers by mappings that no source names, or not yet.
	Mappings []string `yaml:"mappings" help:"Mapping files beside those that sources name: of providers whose sources are gone, and whose webhooks the stream still has."`

	// File is the path that the configuration was read from, empty where no file
	// was.
	File string `yaml:"-"`
	// PlainSecrets tells that the file holds a secret itself, and not only where
	// one is to be found.
	PlainSecrets bool `yaml:"-"`

	mapped []*mappingFile `yaml:"-"` // of sources and of Mappings, each file once
}

// Ingest configures the public listener.
type Ingest struct {
	// Listen is host:port; port 0 takes a free one.
	Listen string `yaml:"listen" help:"Where webhooks are taken."`
	// MaxBody is the size in bytes of the largest webhook that is taken.
	MaxBody Size `yaml:"max_body" help:"Largest webhook, up to 8MiB."`
	// MaxInFlight is the number of webhooks that are worked on at once; more are
	// asked to come again.
	MaxInFlight int `yaml:"max_in_flight" help:"Webhooks worked on at once."`
	// Certificate and Key are the paths of PEM files, both or none: with them the
	// listener speaks TLS. CA is the path of a PEM file that this program's own
	// commands check it against; empty: it must bear the very certificate.
	Certificate string `yaml:"certificate" help:"PEM file of the listener's certificate: with it, TLS 1.2 or newer; read again when it changes."`
	Key         string `yaml:"key" help:"PEM file of its key."`
	CA          string `yaml:"ca" help:"PEM file that send and the like check it against; empty: it must be the very ingest.certificate."`
}

// API configures the private listener.
type API struct {
	// Listen is host:port; port 0 takes a free one.
	Listen string `yaml:"listen" help:"Where orders are read; any address but loopback needs a token."`
	// Token is what a reader must send as its bearer token. It may be empty only
	// on a loopback address.
	Token Secret `yaml:"token" help:"A bearer token of the API, with every scope; on the client's side the token to send."`
	// Certificate and Key are the paths of PEM files, both or none: with them the
	// listener speaks TLS. CA is the path of a PEM file that this program's own
	// commands check it against; empty: it must bear the very certificate.
	Certificate string `yaml:"certificate" help:"PEM file of the listener's certificate: with it, TLS 1.2 or newer; read again when it changes."`
	Key         string `yaml:"key" help:"PEM file of its key."`
	CA          string `yaml:"ca" help:"PEM file that orders and the like check it against; empty: it must be the very api.certificate."`
}

// NATS configures the broker.
type NATS struct {
	// URL is empty for the embedded server, else one or more addresses of NATS
	// servers with commas between.
	URL string `yaml:"url" help:"Empty: the broker inside; else nats://a:4222,nats://b:4222."`
	// Context is the name of a context of the nats command line, or the path of its file.
	// It says what the keys beside it do not.
	Context string `yaml:"context" help:"A context of the nats command line, by its name or path: its servers, credentials and certificates, where these keys are empty."`
	// Credentials is the path of a .creds file, empty where none is needed.
	Credentials string `yaml:"credentials" help:"A .creds file."`
	// CA is the path of a PEM file to check the servers' certificates against,
	// empty for the system's.
	CA string `yaml:"ca" help:"PEM file to check the servers' certificates against; the system's where it is empty."`
	// Certificate and Key are the paths of PEM files by which the servers know
	// ticketrail; both or none.
	Certificate string `yaml:"certificate" help:"PEM file of the certificate that the servers know ticketrail by."`
	Key         string `yaml:"key" help:"PEM file of its key."`
	// Replicas is the number of servers that hold each webhook: 1, 3 or 5.
	Replicas int `yaml:"replicas" help:"Servers that hold each webhook: 1, 3 or 5."`
}

// Embedded tells whether ticketrail runs its own NATS server.
func (n NATS) Embedded() bool { return n.URL == "" }

// Stream configures the stream of accepted webhooks.
type Stream struct {
	// MaxBytes is the size in bytes at which webhooks are refused; 0 stands for
	// half of what the disk has room for, and will not do for a new stream
	// on external servers.
	MaxBytes Size `yaml:"max_bytes" help:"Room for webhooks; 0: half of what the disk has room for; with nats.url a number is needed. A full stream refuses, it never forgets; a twentieth of it, and 16 MiB at the most, is for erasures."`
	// MaxAge is how long webhooks are kept; 0 stands for ever.
	MaxAge Duration `yaml:"max_age" help:"How long webhooks are kept in the stream, from stream.duplicate_window on; 0: for ever. The archive forgets them a segment (8 MiB) at a time. When the first has expired, no read model can be rebuilt any more."`
	// Keep is what the stream keeps in any case of webhooks that are in the archive's store,
	// in bytes; 0 stands for all.
	Keep Size `yaml:"keep" help:"What of the newest webhooks stays in the stream, from 1MiB on, once the older ones are in archive.store, read back and checked; 0: all. What was trimmed is read in the store: nothing else changes for readers and rebuilds."`
	// DuplicateWindow is how long the broker remembers webhook ids.
	DuplicateWindow Duration `yaml:"duplicate_window" help:"How long the broker itself recognises a retransmission."`
	// Durability is when the embedded server has a webhook on disk: DurabilityGroup,
	// DurabilityEach or DurabilityPage.
	Durability string `yaml:"durability" help:"With the broker inside: group, on disk before the 200, webhooks that come at once share a sync; each, the same with a sync for each; page, on disk some seconds after the 200: a power cut loses the last ones."`
}

// What stream.durability may be.
const (
	DurabilityGroup = "group" // before the answer; webhooks that come at once share a sync
	DurabilityEach  = "each"  // before the answer, with a sync for each
	DurabilityPage  = "page"  // some time after it: a power cut loses the last ones
)

// Archive configures the second copy of the accepted webhooks.
type Archive struct {
	// Dir is its folder. Empty stands for the folder archive in Data with the embedded
	// server, and for none with external ones; ArchiveOff for none.
	Dir string `yaml:"dir" help:"Folder of the archive; empty: archive in data, or none with nats.url; off: none."`
	// Store is where sealed segments are put besides: the path of a folder, or
	// s3://BUCKET/PREFIX; empty for nowhere.
	Store string `yaml:"store" help:"Where sealed segments (8 MiB) of the archive are put besides: a folder, as of another disk, or s3://BUCKET/PREFIX; empty: nowhere. It belongs to one data folder alone."`
	// KeepLocal tells whether what is in the store stays in Dir when the stream does not
	// have it any more.
	KeepLocal bool `yaml:"keep_local" help:"Keep segments in archive.dir too when they are in archive.store and their webhooks were trimmed: true or false."`
	S3        S3   `yaml:"s3"`
}

// S3 configures how a store is reached that speaks the protocol of S3.
type S3 struct {
	// Endpoint is its URL, http or https; empty for that of AWS.
	Endpoint string `yaml:"endpoint" help:"URL of the service that archive.store is in, such as https://s3.example.org; empty: AWS."`
	// Region is the bucket's; empty: the service is asked.
	Region string `yaml:"region" help:"The bucket's region; empty: the service is asked."`
	// AccessKey and SecretKey are the credentials, both or none: then they come from the
	// environment as AWS names it, or from the machine's role.
	AccessKey Secret `yaml:"access_key" help:"Access key; empty: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the role of the machine."`
	SecretKey Secret `yaml:"secret_key" help:"Secret key."`
}

// Bucket gives the bucket and the prefix of a store that speaks the protocol of S3; ok is
// false where it is a folder, or none.
func (a Archive) Bucket() (bucket, prefix string, ok bool) {
	place, ok := strings.CutPrefix(a.Store, "s3://")
	bucket, prefix, _ = strings.Cut(place, "/")
	return bucket, strings.Trim(prefix, "/"), ok
}

// ArchiveOff is the folder that stands for no archive.
const ArchiveOff = "off"

// Rebuild configures how a read model is made anew.
type Rebuild struct {
	// Memory is what that may take of the machine's memory, in bytes, beside what the
	// program takes while it serves.
	Memory Size `yaml:"memory" help:"What a rebuild may take of the memory beside what serving takes, from 64 MiB on."`
}

// Orders configures the stream ORDERS, on which changes of orders are published.
type Orders struct {
	// Publish tells whether they are: "true", "false", or empty for where others can read them,
	// which is with nats.url. See [Config.Publishes].
	Publish string `yaml:"publish" help:"Publish each change of an order, and alerts, on the stream ORDERS, for other services: true or false; empty: with nats.url, since the broker inside listens to nobody."`
	// MaxBytes and MaxAge bound the stream, which forgets its oldest messages.
	MaxBytes Size     `yaml:"max_bytes" help:"Room of that stream, which forgets its oldest messages, from 1 MiB on."`
	MaxAge   Duration `yaml:"max_age" help:"How long it keeps them, from 1m on."`
}

// Traces configures where OpenTelemetry's traces go.
type Traces struct {
	// Endpoint is the address of a collector that takes OTLP over HTTP, without its path;
	// empty: OTEL_EXPORTER_OTLP_ENDPOINT, and none where that is empty too.
	Endpoint string `yaml:"endpoint" help:"Collector that takes OTLP over HTTP, such as http://127.0.0.1:4318; empty: what OTEL_EXPORTER_OTLP_ENDPOINT says, or no traces."`
	// Headers go with each request to the collector, as OTEL_EXPORTER_OTLP_HEADERS has them,
	// which stands for them where they are empty.
	Headers Secret `yaml:"headers" help:"What the collector knows ticketrail by, as NAME=VALUE,NAME=VALUE with values percent-encoded; a text, ${VARIABLE} or {file: PATH}; empty: what OTEL_EXPORTER_OTLP_HEADERS says."`
	// Ratio is which part of the webhooks is traced, from 0 to 1.
	Ratio float64 `yaml:"ratio" help:"Which part of the webhooks is traced, from 0 to 1."`
	// FollowSenders tells whether a sender's traceparent is the beginning of a trace. Then
	// the sender says what is traced.
	FollowSenders bool `yaml:"follow_senders" help:"Go on with the trace that a sender names in traceparent, and trace what it says; only for senders of your own."`
}

// Publishes tells whether changes of orders, and alerts, are published on the stream ORDERS.
func (c *Config) Publishes() bool {
	return c.Orders.Publish == "true" || c.Orders.Publish == "" && !c.NATS.Embedded()
}

// Source configures one endpoint that a provider sends to.
type Source struct {
	// Name is the last part of the endpoint's path.
	Name string `yaml:"name" help:"The last part of the address /webhooks/NAME."`
	// Provider is the name of the adapter that reads the webhooks.
	Provider string `yaml:"provider" help:"ivy, ordatic, payway or runa; or mapped, for any other one that a mapping describes."`
	// Mapping is the path of the mapping file of a provider that is mapped.
	Mapping string `yaml:"mapping" help:"With provider: mapped, the file that says what its webhooks mean."`
	// Secrets are all active at once, so that one can be rotated.
	Secrets []Secret `yaml:"secrets" help:"All active at once; a text, ${VARIABLE} or {file: PATH}."`
	// Currency is the ISO 4217 code of amounts that come without one; may be empty.
	Currency string `yaml:"currency" help:"Of amounts that come without one, such as SEK."`
	// Rate is the number of webhooks a second that are taken; 0 stands for the
	// receiver's own default.
	Rate float64 `yaml:"rate" help:"Webhooks a second; 0: 10000."`
	// Limits replace those of every source, for the states that are named.
	Limits Limits `yaml:"limits" help:"As limits, where the source has other ones."`

	mapped *provider.Mapped `yaml:"-"` // where there is a mapping
}

// Adapter gives what reads the source's webhooks: by it, and not by what the configuration
// calls it, the provider is known to everything else.
func (s *Source) Adapter() provider.Provider {
	if s.mapped != nil {
		return s.mapped
	}
	adapter, _ := provider.Named(s.Provider) // Load has checked that it exists
	return adapter
}

// RevealSecrets gives the values of the source's secrets.
func (s *Source) RevealSecrets() []string {
	values := make([]string, len(s.Secrets))
	for i, secret := range s.Secrets {
		values[i] = secret.Reveal()
	}
	return values
}

// Default gives the configuration before any file, environment or flag. It is
// the only place where defaults are set.
func Default() *Config {
	return &Config{
		Data:    "./data",
		Ingest:  Ingest{Listen: "127.0.0.1:8080", MaxBody: 4 << 20, MaxInFlight: 256},
		API:     API{Listen: "127.0.0.1:8081"},
		NATS:    NATS{Replicas: 1},
		Stream:  Stream{DuplicateWindow: Duration(2 * time.Minute), Durability: DurabilityGroup},
		Rebuild: Rebuild{Memory: 256 << 20},
		Orders:  Orders{MaxBytes: 64 << 20, MaxAge: Duration(24 * time.Hour)},
		Traces:  Traces{Ratio: 1},
		Limits: Limits{
			domain.StatePlaced:          Duration(10 * time.Minute),
			domain.StateAccepted:        Duration(15 * time.Minute),
			domain.StateInKitchen:       Duration(30 * time.Minute),
			domain.StateReady:           Duration(20 * time.Minute),
			domain.StateRiderDelivering: Duration(60 * time.Minute),
		},
	}
}
