package main_test

import (
	"archive/tar"
	"compress/gzip"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
	"github.com/ticketrail/ticketrail/projector/sqlite"
)

// What an earlier program has left is opened by this one: each file of testdata/upgrade is
// the data folder of one, named after the number of its read model's tables, with its
// configuration and the orders that it told. The stream and the archive are taken as they
// are; the read model is, or is made anew; and every order is told as it was.
func TestEarlierDataFoldersAreOpened(t *testing.T) {
	t.Parallel()
	kept, err := filepath.Glob("testdata/upgrade/*.tgz")
	require.NoError(t, err)
	require.NotEmpty(t, kept)
	for _, file := range kept {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			unpack(t, file, folder)
			p := start(t, filepath.Join(folder, "data"), "--config", filepath.Join(folder, "ticketrail.yaml"))
			told := toldOrders(t, p)
			text, err := os.ReadFile(filepath.Join(folder, "orders.json"))
			require.NoError(t, err)
			var before struct{ Orders []map[string]any }
			require.NoError(t, json.Unmarshal(text, &before))
			require.NotEmpty(t, before.Orders)
			require.Len(t, told, len(before.Orders))
			for _, order := range before.Orders {
				delete(order, "late") // which the clock makes it
				name := fmt.Sprint(order["source"], " ", order["key"])
				delete(order, "late") // it was told by the clock of then
				for field, value := range order {
					require.Equal(t, value, told[name][field], "%s of %s", field, name)
				}
			}
			p.run(t, "verify")
			p.stop(t)
			p.run(t, "archive", "verify")
		})
	}
}

// toldOrders waits until the read model has come to the end of the stream, and asks for
// all orders, by name.
func toldOrders(t *testing.T, p *process) map[string]map[string]any {
	t.Helper()
	p.caughtUp(t)
	var answer struct{ Orders []map[string]any }
	_, err := until(func() (struct{}, error) {
		response, err := http.Get(p.addresses.API + "/v1/orders?limit=200")
		if err != nil {
			return struct{}{}, err
		}
		text, err := io.ReadAll(response.Body)
		if err = errors.Join(err, response.Body.Close()); err == nil && response.StatusCode != http.StatusOK {
			err = fmt.Errorf("%s: %s", response.Status, text) // it is being made
		}
		return struct{}{}, errors.Join(err, json.Unmarshal(text, &answer))
	})
	require.NoError(t, err)
	told := map[string]map[string]any{}
	for _, order := range answer.Orders {
		told[fmt.Sprint(order["source"], " ", order["key"])] = order
	}
	return told
}

// What a newer program has left is not opened, and stays as it is: the message says so,
// and what to do.
func TestANewerDataFolderIsRefused(t *testing.T) {
	t.Parallel()
	p := start(t, filepath.Join(t.TempDir(), "data"))
	p.stop(t)
	path, err := app.CurrentReadModel(p.data)
	require.NoError(t, err)
	db, err := sql.Open("sqlite3", sqlite.DSN(path))
	require.NoError(t, err)
	_, err = db.Exec("PRAGMA user_version = 1000")
	require.NoError(t, errors.Join(err, db.Close()))

	command := exec.CommandContext(t.Context(), binary, "serve", "--data", p.data, "--ingest-listen", "127.0.0.1:0", "--api-listen", "127.0.0.1:0")
	output, err := command.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(output), "it has number 1000")
	require.Contains(t, string(output), "hint: run the ticketrail that made it")
	require.FileExists(t, path)
}

// unpack unpacks a compressed archive of files into a folder.
func unpack(t *testing.T, file, folder string) {
	t.Helper()
	packed, err := os.Open(file)
	require.NoError(t, err)
	defer packed.Close()
	plain, err := gzip.NewReader(packed)
	require.NoError(t, err)
	for entries := tar.NewReader(plain); ; {
		entry, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		path := filepath.Join(folder, filepath.FromSlash(entry.Name))
		if entry.FileInfo().IsDir() {
			require.NoError(t, os.MkdirAll(path, 0o700))
			continue
		}
		content, err := io.ReadAll(entries)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(path, content, 0o600))
	}
}
