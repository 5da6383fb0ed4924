package config

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// natsContext is a context of the nats command line, as far as it is understood: the file
// NAME.json in nats/context of the user's folder of configurations.
type natsContext struct {
	URL      string `json:"url"`
	User     string `json:"user"`
	Password string `json:"password"`
	Token    string `json:"token"`
	Creds    string `json:"creds"`
	CA       string `json:"ca"`
	Cert     string `json:"cert"`
	Key      string `json:"key"`
}

// ways are the other settings of a context that decide about the way to its servers. One that
// is set is refused: without it that would be another way.
var ways = []string{
	"nsc", "nkey", "user_jwt", "user_seed", "socks_proxy", "tls_first", "jetstream_domain", "jetstream_api_prefix", "inbox_prefix",
	"windows_cert_store",
}

// readContext fills in what is not set of the section nats from the context that it names.
func readContext(config *Config, d *decoder, _ Inputs) error {
	n := &config.NATS
	if n.Context == "" {
		return nil
	}
	at := d.origins["nats.context"]
	d.origin, d.lines = at.name, at.line > 0
	fail := func(mend, problem string, args ...any) error {
		return d.fail(at.line, "nats.context", misfitf(mend, problem, args...))
	}
	path := d.contextPath(n.Context)
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fail("see which there are: nats context ls", "there is no file %s", path)
	case err != nil:
		return fail("name a context that this user can read", "it cannot be read: %v", errors.Unwrap(err))
	}
	var known natsContext
	var all map[string]any
	if err := errors.Join(json.Unmarshal(text, &known), json.Unmarshal(text, &all)); err != nil {
		return fail("make it anew: nats context edit", "%s is no context", path)
	}
	for _, way := range ways {
		if value := all[way]; value != nil && value != "" && value != false {
			return fail("choose a context without it, or set the keys of nats one by one", "it sets %s, which ticketrail has not", way)
		}
	}
	d.fillIn(n, &known, path)
	return nil
}

// contextPath gives the file of a context, which may also be named by its path.
func (d *decoder) contextPath(name string) string {
	if strings.ContainsRune(name, filepath.Separator) {
		return name
	}
	folder, _ := d.lookup("XDG_CONFIG_HOME")
	if folder == "" {
		home, _ := d.lookup("HOME")
		folder = filepath.Join(home, ".config")
	}
	return filepath.Join(folder, "nats", "context", name+".json")
}

func (d *decoder) fillIn(n *NATS, from *natsContext, path string) {
	home, _ := d.lookup("HOME")
	for _, setting := range []struct {
		key   string
		value *string
		from  string
	}{
		{"nats.url", &n.URL, from.address()},
		{"nats.credentials", &n.Credentials, inHome(home, from.Creds)},
		{"nats.ca", &n.CA, inHome(home, from.CA)},
		{"nats.certificate", &n.Certificate, inHome(home, from.Cert)},
		{"nats.key", &n.Key, inHome(home, from.Key)},
	} {
		if *setting.value == "" && setting.from != "" {
			*setting.value = setting.from
			d.origins[setting.key] = origin{name: path}
		}
	}
}

// address gives the servers, each with the user or the token where it has none.
func (c *natsContext) address() string {
	servers := strings.Split(c.URL, ",")
	for i, server := range servers {
		u, err := url.Parse(strings.TrimSpace(server))
		if err != nil || u.Host == "" || u.User != nil {
			continue // what is amiss with it is found where all addresses are looked at
		}
		switch {
		case c.Token != "":
			u.User = url.User(c.Token)
		case c.User != "":
			u.User = url.UserPassword(c.User, c.Password)
		}
		servers[i] = u.String()
	}
	return strings.Join(slices.DeleteFunc(servers, func(s string) bool { return s == "" }), ",")
}

// inHome gives a path in which ~ may stand for the user's folder.
func inHome(home, path string) string {
	if within, ok := strings.CutPrefix(path, "~/"); ok {
		return filepath.Join(home, within)
	}
	return path
}
