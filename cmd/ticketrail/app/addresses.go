package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Addresses is where a running program can be reached. It holds no secret.
type Addresses struct {
	PID     int    `json:"pid"`
	Version string `json:"version"`
	// Ingest and API are the base URLs of the two listeners.
	Ingest  string          `json:"ingest"`
	API     string          `json:"api"`
	Sources []SourceAddress `json:"sources"`
	// Durability says what an answer of 200 means: "synced" or "unknown".
	Durability string `json:"durability"`
}

// SourceAddress is where a source's webhooks are posted to.
type SourceAddress struct {
	Name     string `json:"name"`
	Provider string `json:"provider"`
	URL      string `json:"url"`
}

// AddressesFile is the path of the file in the data folder that says where the
// program that holds the folder can be reached. It is there while one runs, and
// is left behind by one that was killed.
func AddressesFile(data string) string { return filepath.Join(data, "addresses.json") }

// ReadAddresses reads the file. Where none is there, the error wraps
// fs.ErrNotExist.
func ReadAddresses(data string) (*Addresses, error) {
	text, err := os.ReadFile(AddressesFile(data))
	if err != nil {
		return nil, err
	}
	var addresses Addresses
	if err := json.Unmarshal(text, &addresses); err != nil {
		return nil, fmt.Errorf("read %s: %w", AddressesFile(data), err)
	}
	return &addresses, nil
}

// publish writes the file by renaming, so that a reader never sees half of it.
func (a *Addresses) publish(data string) error {
	text, err := json.MarshalIndent(a, "", "  ")
	if err != nil {
		return err
	}
	draft := AddressesFile(data) + ".draft"
	if err := os.WriteFile(draft, append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(draft, AddressesFile(data))
}

func withdrawAddresses(data string) error {
	if err := os.Remove(AddressesFile(data)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
