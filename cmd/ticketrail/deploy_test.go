package main_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/app"
)

const (
	deploy = "../../deploy"
	chart  = deploy + "/helm/ticketrail"
)

var (
	// variable is one of the program's in a file of the deployment.
	variable = regexp.MustCompile(`\bTICKETRAIL_[A-Z_]+\b`)
	// value is one of the chart in a template.
	value = regexp.MustCompile(`\$?\.Values((?:\.\w+)+)`)
	// run is the program in a unit or an image, with its arguments.
	run = regexp.MustCompile(`(?:ExecStart=/usr/bin/ticketrail|CMD \["/ticketrail",|CMD", "/ticketrail",) ?(.*)`)
	// setting is a line of a unit.
	setting = regexp.MustCompile(`^([A-Za-z]+)=(.*)$`)
)

// A variable that the deployment sets is one that the program knows: it would not start with
// another.
func TestTheDeploymentSetsWhatThereIs(t *testing.T) {
	t.Parallel()
	help, err := exec.CommandContext(t.Context(), binary, "serve", "--help").Output()
	require.NoError(t, err)
	reference, err := exec.CommandContext(t.Context(), binary, "config", "reference").Output()
	require.NoError(t, err)
	known := variable.FindAllString(string(help)+string(reference), -1)
	set := map[string]bool{}
	for name, content := range deployed(t) {
		for _, found := range variable.FindAllString(content, -1) {
			if strings.HasSuffix(found, "_PASSWORD") {
				continue // of the NATS servers' own
			}
			require.Contains(t, known, found, name)
			set[found] = true
		}
	}
	require.Greater(t, len(set), 8)
}

// What a unit, an image or a compose file starts is a command that the program takes.
func TestTheDeploymentStartsWhatThereIs(t *testing.T) {
	t.Parallel()
	started := map[string]bool{}
	for name, content := range deployed(t) {
		for _, match := range run.FindAllStringSubmatch(content, -1) {
			arguments := strings.NewReplacer(`"`, "", ",", "", "]", "", "/etc/ticketrail/ticketrail.yaml", "none.yaml").Replace(match[1])
			requireTypable(t, arguments, name)
			started[filepath.Base(name)] = true
		}
	}
	require.ElementsMatch(t, []string{"Dockerfile", "compose.yaml", "ticketrail.service"}, slices.Collect(maps.Keys(started)))
}

// The unit is well formed, and its user is the one that sysusers.d makes, with the folder
// that the program is given.
func TestTheUnitHasItsUserAndFolder(t *testing.T) {
	t.Parallel()
	settings := map[string]string{}
	for line := range strings.Lines(text(t, deploy, "systemd/ticketrail.service")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || line[0] == '[' {
			continue
		}
		match := setting.FindStringSubmatch(line)
		require.NotNil(t, match, line)
		settings[match[1]] += match[2]
	}
	folder := "/var/lib/" + settings["StateDirectory"]
	require.Contains(t, settings["ExecStart"], " --data "+folder)
	require.Contains(t, text(t, deploy, "systemd/sysusers.conf"), "u "+settings["User"]+" - ")
	require.Contains(t, text(t, deploy, "systemd/sysusers.conf"), " "+folder+"\n")
	require.Contains(t, text(t, deploy, "deb/ticketrail.yaml"), "\ndata: "+folder+"\n")
	require.Equal(t, "strict", settings["ProtectSystem"])
}

// Whoever stops the program lets it end by itself: it is not killed before that can be done.
func TestADeploymentWaitsForTheEnd(t *testing.T) {
	t.Parallel()
	for name, form := range map[string]string{
		"systemd/ticketrail.service":                 `\nTimeoutStopSec=(\d+)s\n`,
		"compose.yaml":                               `\n +stop_grace_period: (\d+)s\n`,
		"helm/ticketrail/templates/statefulset.yaml": `\n +terminationGracePeriodSeconds: (\d+)\n`,
	} {
		found := regexp.MustCompile(form).FindStringSubmatch(text(t, deploy, name))
		require.NotNil(t, found, name)
		seconds, err := strconv.Atoi(found[1])
		require.NoError(t, err)
		require.Greater(t, time.Duration(seconds)*time.Second, app.StopLimit, name)
	}
}

// The package's configuration, and those that the chart makes of its values, are taken as
// serve takes them.
func TestConfigurationsOfTheDeploymentAreValid(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := map[string]string{"package": text(t, deploy, "deb/ticketrail.yaml")}
	for _, name := range []string{"ticketrail/values.yaml", "full-values.yaml"} {
		var values struct {
			Config map[string]any
			Files  map[string]string
		}
		require.NoError(t, yaml.Unmarshal([]byte(text(t, deploy, "helm", name)), &values))
		content, err := yaml.Marshal(values.Config)
		require.NoError(t, err)
		files[name] = strings.ReplaceAll(string(content), "/etc/ticketrail", dir)
		for beside, content := range values.Files {
			require.NoError(t, os.WriteFile(filepath.Join(dir, beside), []byte(content), 0o600))
		}
	}
	for name, content := range files {
		file := filepath.Join(dir, "ticketrail.yaml")
		require.NoError(t, os.WriteFile(file, []byte(content), 0o600))
		validate := exec.CommandContext(t.Context(), binary, "config", "validate", "--config", file)
		validate.Env = append(validate.Environ(), "IVY_SECRET=secret-of-ivy", "ORDATIC_AUTHORIZATION=Bearer secret", "ACME_SECRET=secret")
		output, err := validate.CombinedOutput()
		require.NoError(t, err, "%s: %s", name, output)
	}
}

// The chart's schema has every value and no other, and its templates ask for no value that
// there is not.
func TestTheChartKnowsItsValues(t *testing.T) {
	t.Parallel()
	var values map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(text(t, chart, "values.yaml")), &values))
	var described schema
	require.NoError(t, json.Unmarshal([]byte(text(t, chart, "values.schema.json")), &described))
	delete(described.Properties, "global") // this one is Helm's own
	requireDescribed(t, "values", described, values)
	templates, err := filepath.Glob(chart + "/templates/*")
	require.NoError(t, err)
	for _, template := range templates {
		for _, match := range value.FindAllStringSubmatch(text(t, template), -1) {
			var at any = values
			for _, key := range strings.Split(match[1][1:], ".") {
				inside, is := at.(map[string]any)
				require.True(t, is && hasKey(inside, key), "%s: .Values%s", template, match[1])
				at = inside[key]
			}
		}
	}
}

// schema is what the test looks at of a JSON Schema.
type schema struct {
	AdditionalProperties any
	Properties           map[string]schema
}

// requireDescribed requires that a schema that is closed has the keys of the values, and so
// on below. One that is open is for who installs it.
func requireDescribed(t *testing.T, where string, described schema, values map[string]any) {
	t.Helper()
	if described.AdditionalProperties != false {
		return
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(described.Properties)), slices.Collect(maps.Keys(values)), where)
	for key, inside := range values {
		if inside, is := inside.(map[string]any); is {
			requireDescribed(t, where+"."+key, described.Properties[key], inside)
		}
	}
}

func hasKey(values map[string]any, key string) bool {
	_, has := values[key]
	return has
}

// deployed gives the files of the deployment, by name.
func deployed(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	require.NoError(t, filepath.WalkDir(deploy, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files[name] = text(t, name)
		}
		return err
	}))
	require.Greater(t, len(files), 30)
	return files
}
