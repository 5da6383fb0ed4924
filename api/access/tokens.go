package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ticketrail/ticketrail/api"
)

// The errors of a change of the tokens.
var (
	// ErrName is for a name that no token can have.
	ErrName = errors.New("a name is 1 to 63 of a-z, 0-9 and -, and not local")
	// ErrTaken is for a name that a token has already.
	ErrTaken = errors.New("there is a token of this name")
	// ErrNoToken is for a name that no token has.
	ErrNoToken = errors.New("there is no token of this name")
)

// prefix begins every token, so that one which leaked can be found by its looks.
const prefix = "ticketrail_"

var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Tokens are the API tokens of a data folder. It is safe for concurrent use, by
// several processes too.
type Tokens struct {
	path string

	mu     sync.Mutex
	watch  *watch      // of the folder; nil: there is none
	looked time.Time   // at the file; zero where it could not be read
	read   os.FileInfo // of the file that known is from; nil: there was none
	known  []api.Token
	needed bool // stays so in this process, whatever becomes of the file
}

// Record is a token as it is listed and kept.
type Record struct {
	Name    string     `json:"name"`
	Scope   api.Scope  `json:"scope"`
	Sum     string     `json:"sha256"` // of the token, in hexadecimal
	Created time.Time  `json:"created_at"`
	Expires *time.Time `json:"expires_at"` // null: never
}

// Fingerprint gives the first digits of the sum.
func (r Record) Fingerprint() string { return r.Sum[:min(8, len(r.Sum))] }

// content is what is in the file.
type content struct {
	Tokens []Record `json:"tokens"`
}

// NewTokens gives the tokens of a data folder, which need not exist.
func NewTokens(data string) *Tokens { return &Tokens{path: file(data)} }

func file(data string) string { return filepath.Join(data, "tokens.json") }

// Exists tells whether a data folder has a file of tokens, and so needs one.
func Exists(data string) bool {
	_, err := os.Stat(file(data))
	return err == nil
}

// lookEvery is how often the file is looked at though nothing is told of its folder, for
// what is not: that another machine has changed it, or a file elsewhere that it links to.
const lookEvery = time.Second

// Known implements [api.Tokens]. It looks at the file only where something has happened in
// its folder, and reads it only where another one has taken its place, or where it has
// changed. What is told of the folder is taken before the look, so that nothing is missed.
func (t *Tokens) Known() (tokens []api.Token, needed bool, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.watch == nil {
		t.watch = watchFolder(filepath.Dir(t.path))
	} else if t.watch.quiet() && now.Sub(t.looked) < lookEvery {
		return t.known, t.needed, nil
	}
	if err = t.look(); err == nil {
		t.looked = now
	}
	return t.known, t.needed, err
}

func (t *Tokens) look() error {
	t.looked = time.Time{}
	info, err := os.Stat(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		t.read, t.known = nil, nil
		return nil
	}
	t.needed = true
	if err == nil && !same(info, t.read) {
		err = t.load(info)
	}
	return err
}

func same(a, b os.FileInfo) bool {
	return b != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func (t *Tokens) load(info os.FileInfo) error {
	t.read, t.known = nil, nil
	records, err := t.List()
	if err != nil {
		return err
	}
	for _, r := range records {
		token := api.Token{Name: r.Name, Scope: r.Scope}
		if n, err := hex.Decode(token.Sum[:], []byte(r.Sum)[:min(len(r.Sum), 2*len(token.Sum))]); err != nil || n != len(token.Sum) {
			return fmt.Errorf("read %s: a sum is not one of SHA-256", t.path)
		}
		if r.Expires != nil {
			token.Expires = *r.Expires
		}
		t.known = append(t.known, token)
	}
	t.read = info
	return nil
}

// List gives all tokens, by name and then by age; none where there is no file.
func (t *Tokens) List() ([]Record, error) {
	text, err := os.ReadFile(t.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all content
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("read %s: %w", t.path, err)
	}
	for _, r := range all.Tokens {
		if r.Scope == api.ScopeNone {
			return nil, fmt.Errorf("read %s: a token has no scope", t.path)
		}
	}
	return all.Tokens, nil
}

// IsName tells whether a token can have this name. The one of who needs no token is
// taken.
func IsName(name string) bool { return nameForm.MatchString(name) && name != "local" }

// Create makes a token and gives it, for the only time. It expires after a while;
// 0: never.
func (t *Tokens) Create(name string, scope api.Scope, now time.Time, after time.Duration) (token string, made Record, err error) {
	if !IsName(name) {
		return "", made, ErrName
	}
	token, made = create(name, scope, now, after)
	return token, made, t.change(func(all []Record) ([]Record, error) {
		if slices.ContainsFunc(all, func(r Record) bool { return r.Name == name }) {
			return nil, ErrTaken
		}
		return append(all, made), nil
	})
}

// Rotate makes a new token of the same name and scope. The former ones end after a
// grace, or at once where it is 0.
func (t *Tokens) Rotate(name string, now time.Time, grace, after time.Duration) (token string, made Record, err error) {
	return token, made, t.change(func(all []Record) ([]Record, error) {
		kept := make([]Record, 0, len(all)+1)
		found, ends := false, now.Add(grace)
		for _, r := range all {
			if r.Name == name {
				found, made.Scope = true, r.Scope
				if r.Expires == nil || ends.Before(*r.Expires) {
					r.Expires = &ends
				}
			}
			if r.Name != name || now.Before(*r.Expires) {
				kept = append(kept, r)
			}
		}
		if !found {
			return nil, ErrNoToken
		}
		token, made = create(name, made.Scope, now, after)
		return append(kept, made), nil
	})
}

// Revoke ends every token of a name at once, and gives them.
func (t *Tokens) Revoke(name string) (revoked []Record, err error) {
	return revoked, t.change(func(all []Record) (kept []Record, err error) {
		for _, r := range all {
			if r.Name == name {
				revoked = append(revoked, r)
			} else {
				kept = append(kept, r)
			}
		}
		if revoked == nil {
			return nil, ErrNoToken
		}
		return kept, nil
	})
}

// create makes a token of 256 random bits.
func create(name string, scope api.Scope, now time.Time, after time.Duration) (string, Record) {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // it ends the program rather than fail
	token := prefix + base64.RawURLEncoding.EncodeToString(seed[:])
	sum := sha256.Sum256([]byte(token))
	made := Record{Name: name, Scope: scope, Sum: hex.EncodeToString(sum[:]), Created: now.UTC().Truncate(time.Second)}
	if after > 0 {
		made.Expires = new(now.UTC().Add(after).Truncate(time.Second))
	}
	return token, made
}

// change replaces the file by what a change makes of the tokens.
func (t *Tokens) change(change func([]Record) ([]Record, error)) error {
	return locked(t.path, func() error {
		all, err := t.List()
		if err == nil {
			all, err = change(all)
		}
		if err != nil {
			return err
		}
		slices.SortStableFunc(all, func(a, b Record) int { return strings.Compare(a.Name, b.Name) })
		return t.write(content{Tokens: append([]Record{}, all...)})
	})
}

// write replaces the file: a reader sees the former one or this one, whole.
func (t *Tokens) write(all content) error {
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	draft, err := os.OpenFile(t.path+".draft", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = draft.Write(append(text, '\n'))
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return errors.Join(err, os.Remove(draft.Name()))
	}
	if err := os.Rename(draft.Name(), t.path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(t.path))
}
