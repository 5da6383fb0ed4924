package config

import (
	"time"

	"github.com/ticketrail/ticketrail/domain"
)

// Config is the whole configuration. The names of its keys, of their environment
// variables and of the flags are all made from its yaml tags.
type Config struct {
	// Data is the folder of the embedded stream and the read models. A relative
	// path counts from the working directory.
	Data    string  `yaml:"data"`
	Ingest  Ingest  `yaml:"ingest"`
	API     API     `yaml:"api"`
	NATS    NATS    `yaml:"nats"`
	Stream  Stream  `yaml:"stream"`
	Archive Archive `yaml:"archive"`
	Rebuild Rebuild `yaml:"rebuild"`
	Orders  Orders  `yaml:"orders"`
	// Limits are those of every source, by state.
	Limits  Limits   `yaml:"limits"`
	Sources []Source `yaml:"sources"`

	// File is the path that the configuration was read from, empty where no file
	// was.
	File string `yaml:"-"`
	// PlainSecrets tells that the file holds a secret itself, and not only where
	// one is to be found.
	PlainSecrets bool `yaml:"-"`
}

// Ingest configures the public listener.
type Ingest struct {
	// Listen is host:port; port 0 takes a free one.
	Listen string `yaml:"listen"`
	// MaxBody is the size in bytes of the largest webhook that is taken.
	MaxBody Size `yaml:"max_body"`
	// MaxInFlight is the number of webhooks that are worked on at once; more are
	// asked to come again.
	MaxInFlight int `yaml:"max_in_flight"`
	// Certificate and Key are the paths of PEM files, both or none: with them the
	// listener speaks TLS. CA is the path of a PEM file that this program's own
	// commands check it against; empty: it must bear the very certificate.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	CA          string `yaml:"ca"`
}

// API configures the private listener.
type API struct {
	// Listen is host:port; port 0 takes a free one.
	Listen string `yaml:"listen"`
	// Token is what a reader must send as its bearer token. It may be empty only
	// on a loopback address.
	Token Secret `yaml:"token"`
	// Certificate and Key are the paths of PEM files, both or none: with them the
	// listener speaks TLS. CA is the path of a PEM file that this program's own
	// commands check it against; empty: it must bear the very certificate.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	CA          string `yaml:"ca"`
}

// NATS configures the broker.
type NATS struct {
	// URL is empty for the embedded server, else one or more addresses of NATS
	// servers with commas between.
	URL string `yaml:"url"`
	// Credentials is the path of a .creds file, empty where none is needed.
	Credentials string `yaml:"credentials"`
	// CA is the path of a PEM file to check the servers' certificates against,
	// empty for the system's.
	CA string `yaml:"ca"`
	// Certificate and Key are the paths of PEM files by which the servers know
	// ticketrail; both or none.
	Certificate string `yaml:"certificate"`
	Key         string `yaml:"key"`
	// Replicas is the number of servers that hold each webhook: 1, 3 or 5.
	Replicas int `yaml:"replicas"`
}

// Embedded tells whether ticketrail runs its own NATS server.
func (n NATS) Embedded() bool { return n.URL == "" }

// Stream configures the stream of accepted webhooks.
type Stream struct {
	// MaxBytes is the size in bytes at which webhooks are refused; 0 stands for
	// half of what the disk has room for, and will not do for a new stream
	// on external servers.
	MaxBytes Size `yaml:"max_bytes"`
	// MaxAge is how long webhooks are kept; 0 stands for ever.
	MaxAge Duration `yaml:"max_age"`
	// DuplicateWindow is how long the broker remembers webhook ids.
	DuplicateWindow Duration `yaml:"duplicate_window"`
	// Durability is when the embedded server has a webhook on disk: DurabilityGroup,
	// DurabilityEach or DurabilityPage.
	Durability string `yaml:"durability"`
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
	Dir string `yaml:"dir"`
}

// ArchiveOff is the folder that stands for no archive.
const ArchiveOff = "off"

// Rebuild configures how a read model is made anew.
type Rebuild struct {
	// Memory is what that may take of the machine's memory, in bytes, beside what the
	// program takes while it serves.
	Memory Size `yaml:"memory"`
}

// Orders configures the stream ORDERS, on which changes of orders are published.
type Orders struct {
	// Publish tells whether they are.
	Publish bool `yaml:"publish"`
	// MaxBytes and MaxAge bound the stream, which forgets its oldest messages.
	MaxBytes Size     `yaml:"max_bytes"`
	MaxAge   Duration `yaml:"max_age"`
}

// Source configures one endpoint that a provider sends to.
type Source struct {
	// Name is the last part of the endpoint's path.
	Name string `yaml:"name"`
	// Provider is the name of the adapter that reads the webhooks.
	Provider string `yaml:"provider"`
	// Secrets are all active at once, so that one can be rotated.
	Secrets []Secret `yaml:"secrets"`
	// Currency is the ISO 4217 code of amounts that come without one; may be empty.
	Currency string `yaml:"currency"`
	// Rate is the number of webhooks a second that are taken; 0 stands for the
	// receiver's own default.
	Rate float64 `yaml:"rate"`
	// Limits replace those of every source, for the states that are named.
	Limits Limits `yaml:"limits"`
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
		Orders:  Orders{Publish: true, MaxBytes: 64 << 20, MaxAge: Duration(24 * time.Hour)},
		Limits: Limits{
			domain.StatePlaced:          Duration(10 * time.Minute),
			domain.StateAccepted:        Duration(15 * time.Minute),
			domain.StateInKitchen:       Duration(30 * time.Minute),
			domain.StateReady:           Duration(20 * time.Minute),
			domain.StateRiderDelivering: Duration(60 * time.Minute),
		},
	}
}
