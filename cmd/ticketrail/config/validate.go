package config

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/api/access"
	"github.com/ticketrail/ticketrail/cmd/ticketrail/otlp"
	"github.com/ticketrail/ticketrail/domain/provider"
	"github.com/ticketrail/ticketrail/ingest"
)

// The bounds of what can be configured.
const (
	minBody = 1 << 10
	// maxBody is what NATS still calls a sensible payload; above it a server
	// buffers more for each connection than a webhook is worth.
	maxBody     = 8 << 20
	maxInFlight = 100_000
	minStream   = 1 << 20
	minRebuild  = 64 << 20
	// minBesideKept is twice what a segment of the archive holds, decompressed.
	minBesideKept    = 64 << 20
	maxRebuild       = 64 << 30
	minOrders        = 1 << 20
	minOrdersAge     = time.Minute
	minWindow        = 100 * time.Millisecond // what JetStream takes
	maxWindow        = time.Hour              // a million ids take some 115 MB
	maxSourceRate    = 1e6
	maxSecretsActive = 16
)

// schemed is what is meant to be no folder.
var schemed = regexp.MustCompile(`^[a-z][a-z0-9+.-]+:`)

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

// validate checks what no single value can tell, and gives the first error: the
// one that stands first in the file, since there it is read and mended.
func validate(c *Config, d *decoder) error {
	check := &checker{origins: d.origins, secretsUnread: d.secretsUnread}
	check.section(c)
	check.nats(&c.NATS)
	check.stream(&c.Stream, c.NATS.Embedded())
	check.store(c)
	check.require(c.Rebuild.Memory >= minRebuild && c.Rebuild.Memory <= maxRebuild, "rebuild.memory",
		"write a size from 64MiB to 64GiB", "%s is out of range", c.Rebuild.Memory)
	check.require(slices.Contains([]string{"", "true", "false"}, c.Orders.Publish), "orders.publish", "write true or false, or leave it out",
		"%q is neither true nor false", c.Orders.Publish)
	check.require(c.Orders.MaxBytes >= minOrders, "orders.max_bytes", "write a size from 1MiB", "%s is too small", c.Orders.MaxBytes)
	check.require(time.Duration(c.Orders.MaxAge) >= minOrdersAge, "orders.max_age", "write a duration from 1m", "%s is too short", c.Orders.MaxAge)
	check.traces(&c.Traces)
	check.sources(c.Sources)
	return check.first
}

// checker keeps the first thing that is wrong.
type checker struct {
	origins       map[string]origin
	secretsUnread bool
	first         error
	line          int // of the first; 0 where it is not of a file
}

// require notes the problem of a key unless the condition holds.
func (c *checker) require(ok bool, key, mend, problem string, args ...any) {
	if ok {
		return
	}
	at := c.origin(key)
	if sooner := at.line > 0 && at.line < c.line; c.first == nil || sooner {
		c.first = &Error{Origin: at.String(), Key: key, Problem: fmt.Sprintf(problem, args...), Mend: mend}
		c.line = at.line
	}
}

// origin finds where a key, or the section or list that lacks it, was set.
func (c *checker) origin(key string) origin {
	for key != "" {
		if origin, ok := c.origins[key]; ok {
			return origin
		}
		key = key[:max(strings.LastIndexAny(key, ".["), 0)]
	}
	return origin{name: "the default"}
}

func (c *checker) traces(t *Traces) {
	c.require(t.Ratio >= 0 && t.Ratio <= 1, "traces.ratio", "write a number from 0 to 1", "%v is no part of a whole", t.Ratio)
	_, err := otlp.ParseHeaders(t.Headers.Reveal())
	c.require(err == nil, "traces.headers", "such as authorization=Bearer%20TOKEN", "%v", err)
	if t.Endpoint == "" {
		return
	}
	address, err := url.Parse(t.Endpoint)
	ok := err == nil && (address.Scheme == "http" || address.Scheme == "https") && address.Host != "" && address.User == nil
	c.require(ok, "traces.endpoint", "write an address such as http://127.0.0.1:4318", "it is no http or https address of a collector")
}

func (c *checker) section(config *Config) {
	c.require(config.Data != "", "data", "name a folder, such as ./data", "it is empty")
	c.address("ingest.listen", config.Ingest.Listen)
	c.require(config.Ingest.MaxBody >= minBody && config.Ingest.MaxBody <= maxBody, "ingest.max_body",
		"write a size from 1KiB to 8MiB", "%s is out of range", config.Ingest.MaxBody)
	c.require(config.Ingest.MaxInFlight >= 1 && config.Ingest.MaxInFlight <= maxInFlight, "ingest.max_in_flight",
		"write a number from 1 to 100000", "%d is out of range", config.Ingest.MaxInFlight)
	c.address("api.listen", config.API.Listen)
	c.require(config.API.Listen != config.Ingest.Listen || strings.HasSuffix(config.API.Listen, ":0"), "api.listen",
		"write another port", "%s is ingest.listen already", config.API.Listen)
	guarded := c.secretsUnread || config.API.Token != "" || access.Exists(config.Data)
	c.require(api.CheckListen(config.API.Listen, guarded) == nil, "api.listen",
		"set api.token ("+Variable("api.token")+"), make a token (ticketrail token create), or listen on 127.0.0.1",
		"%s can be reached from other machines, and there is no token", config.API.Listen)
	c.tls("ingest", config.Ingest.Certificate, config.Ingest.Key, config.Ingest.CA)
	c.tls("api", config.API.Certificate, config.API.Key, config.API.CA)
}

func (c *checker) address(key, address string) {
	const mend = "write host:port, such as 127.0.0.1:8080"
	_, port, err := net.SplitHostPort(address)
	c.require(err == nil, key, mend, "%q is not an address", address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
		c.require(err == nil && port != "", key, mend, "%q has no usable port", address)
	}
}

func (c *checker) nats(n *NATS) {
	for _, address := range strings.Split(n.URL, ",") {
		if n.Embedded() {
			break
		}
		u, err := url.Parse(strings.TrimSpace(address))
		usable := err == nil && u.Host != "" && slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme)
		c.require(usable, "nats.url", "write nats://host:4222, more with commas between; leave it empty for the embedded server", "it is not a list of NATS addresses")
	}
	c.file("nats.credentials", n.Credentials, "a .creds file")
	c.tls("nats", n.Certificate, n.Key, n.CA)
	c.require(slices.Contains([]int{1, 3, 5}, n.Replicas), "nats.replicas", "write 1, 3 or 5", "%d replicas cannot be", n.Replicas)
	c.require(n.Replicas == 1 || !n.Embedded(), "nats.replicas", "write 1, or set nats.url", "the embedded server is one, so it cannot hold %d replicas", n.Replicas)
}

// tls checks the files of a section that speaks TLS.
func (c *checker) tls(section, certificate, key, ca string) {
	c.file(section+".certificate", certificate, "a PEM file of a certificate")
	c.file(section+".key", key, "a PEM file of a private key")
	c.file(section+".ca", ca, "a PEM file of certificates")
	c.require((certificate == "") == (key == ""), section+".key",
		"set both "+section+".certificate and "+section+".key, or neither", "a certificate and its key go together")
}

// file requires that a file is there where one is named.
func (c *checker) file(key, path, kind string) {
	if path == "" {
		return
	}
	info, err := os.Stat(path)
	c.require(err == nil && info.Mode().IsRegular(), key, "name "+kind+" that this user can read", "there is no file %s", path)
}

func (c *checker) stream(s *Stream, embedded bool) {
	c.require(s.MaxBytes == 0 || s.MaxBytes >= minStream, "stream.max_bytes", "write 0 for as much as the disk holds, or a size from 1MiB", "%s is too small", s.MaxBytes)
	window := time.Duration(s.DuplicateWindow)
	c.require(window >= minWindow && window <= maxWindow, "stream.duplicate_window", "write a duration from 100ms to 1h", "%s is out of range", window)
	c.require(s.MaxAge == 0 || s.MaxAge >= s.DuplicateWindow, "stream.max_age", "write 0 for ever, or a duration not shorter than stream.duplicate_window", "%s is too short", s.MaxAge)
	ways := []string{DurabilityGroup, DurabilityEach, DurabilityPage}
	c.require(slices.Contains(ways, s.Durability), "stream.durability", "write group, each or page", "%q is no way to sync", s.Durability)
	c.require(embedded || s.Durability == DurabilityGroup, "stream.durability", "leave it out, and set sync_interval on the servers of nats.url",
		"an external broker syncs as its own settings say")
}

// store checks where the archive goes, and what the stream may be trimmed for.
func (c *checker) store(all *Config) {
	a, s := &all.Archive, &all.Stream
	bucket, _, remote := a.Bucket()
	c.require(remote || !schemed.MatchString(a.Store), "archive.store", "write a folder, s3://BUCKET or s3://BUCKET/PREFIX", "%q is neither", a.Store)
	c.require(!remote || bucketName.MatchString(bucket), "archive.store", "write s3://BUCKET or s3://BUCKET/PREFIX", "%q is no name of a bucket", bucket)
	kept := a.Dir != ArchiveOff && (a.Dir != "" || all.NATS.Embedded())
	c.require(a.Store == "" || kept, "archive.store", "name a folder with archive.dir", "there is no archive to put there")
	c.require(a.Store == "" || remote || !isWithin(a.Store, cmp.Or(a.Dir, filepath.Join(all.Data, "archive"))), "archive.store",
		"name a folder elsewhere, best on another disk", "it is in the archive's own folder, from which segments are removed, and which a restore replaces")
	c.require(a.Store == "" || s.MaxAge == 0, "stream.max_age", "write 0, and bound the stream with stream.keep: what has expired must not be in archive.store", "it does not go with archive.store")
	endpoint, err := url.Parse(a.S3.Endpoint)
	c.require(a.S3.Endpoint == "" || err == nil && slices.Contains([]string{"http", "https"}, endpoint.Scheme) && endpoint.Host != "" && strings.Trim(endpoint.Path, "/") == "",
		"archive.s3.endpoint", "write https://HOST or http://HOST:PORT", "it is not the URL of a service")
	c.require((a.S3.AccessKey == "") == (a.S3.SecretKey == ""), "archive.s3.secret_key", "set both archive.s3.access_key and archive.s3.secret_key, or neither", "the two go together")
	c.require(s.Keep == 0 || a.Store != "", "stream.keep", "name archive.store, which has the webhooks then", "nothing may be trimmed that is nowhere else")
	c.require(s.Keep == 0 || all.NATS.Embedded(), "stream.keep", "leave it out", "only the stream of the broker inside is trimmed, and this one is on the servers of nats.url")
	c.require(s.Keep == 0 || s.Keep >= minStream, "stream.keep", "write 0 for all, or a size from 1MiB", "%s is too small", s.Keep)
	c.require(s.Keep == 0 || s.MaxBytes == 0 || s.MaxBytes-s.Keep >= minBesideKept, "stream.keep", "leave 64MiB of stream.max_bytes at the least: a segment that is not full is not in the store yet", "%s is too much", s.Keep)
}

// isWithin tells whether a path is a folder, or in it, by their names.
func isWithin(path, folder string) bool {
	path, err := filepath.Abs(path)
	if err != nil {
		return false
	}
	folder, err = filepath.Abs(folder)
	if err != nil {
		return false
	}
	within, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(within)
}

func (c *checker) sources(sources []Source) {
	taken := map[string]int{}
	for i, source := range sources {
		key := fmt.Sprintf("sources[%d]", i)
		c.source(key, &source)
		first, twice := taken[source.Name]
		c.require(!twice, key+".name", "give each source a name of its own", "sources[%d] is named %q too", first, source.Name)
		taken[source.Name] = i
	}
}

func (c *checker) source(key string, s *Source) {
	c.require(s.Name != "", key+".name", "name it: it is the last part of its address", "it is missing")
	c.require(ingest.IsSourceName(s.Name), key+".name", "use 1 to 32 of a-z, 0-9 and -", "%q cannot be a source's name", s.Name)
	adapter := s.Adapter()
	known := adapter != nil
	c.require(known, key+".provider", "choose one of "+providerNames()+"; or write provider: "+provider.MappedName+" and mapping: FILE", "%q is no provider", s.Provider)
	c.require(len(s.Secrets) > 0, key+".secrets", "write the secret that the provider signs with: secrets: [\"…\"]", "it is missing")
	c.require(len(s.Secrets) <= maxSecretsActive, key+".secrets", "remove the secrets that were rotated away", "%d are too many", len(s.Secrets))
	c.require(s.Currency == "" || currencyCode.MatchString(s.Currency), key+".currency", "write three capital letters, such as SEK", "%q is no currency code", s.Currency)
	c.require(s.Rate == 0 || s.Rate >= 1 && s.Rate <= maxSourceRate, key+".rate", "write webhooks a second, from 1 to 1000000, or 0 for the default", "%v is out of range", s.Rate)
	if c.secretsUnread {
		return
	}
	for i, secret := range s.Secrets {
		at := fmt.Sprintf("%s.secrets[%d]", key, i)
		c.require(secret != "", at, "write the secret that the provider signs with", "it is empty")
		if known && secret != "" {
			err := adapter.CheckSecret(secret.Reveal())
			c.require(err == nil, at, "copy the secret as "+adapter.Name()+" shows it", "it cannot be a secret of this provider: %v", err)
		}
	}
}

func providerNames() string {
	var names []string
	for _, p := range provider.All() {
		names = append(names, p.Name())
	}
	return strings.Join(names, ", ")
}
