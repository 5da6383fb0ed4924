package main

import (
	"maps"
	"net/http"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/ticketrail/ticketrail/api"
	"github.com/ticketrail/ticketrail/api/access"
)

// audited does what a command does to a data folder without the API, between two
// records of its audit log. What cannot be recorded is not done.
func audited(data, command string, parameters map[string]string, do func() error) error {
	act := api.Act{At: time.Now().UTC(), By: "local", Method: "COMMAND", Route: command, Parameters: map[string]string{"user": userName()}}
	maps.Copy(act.Parameters, parameters)
	audit := access.NewAudit(data)
	if err := audit.Record(act); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	act.At, act.Status = time.Now().UTC(), http.StatusOK
	return audit.Record(act)
}

// userName gives the name of who runs the program, or the number where there is no
// name, as in a container.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return strconv.Itoa(os.Getuid())
}
