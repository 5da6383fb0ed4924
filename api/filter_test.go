package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// No read takes a parameter that it does not know, nor does any take a filter that can
// select nothing: who mistyped it would wait for what never comes, or take nothing for
// an answer.
func TestMistypedFiltersAreRefused(t *testing.T) {
	t.Parallel()
	l := newLedger(t)
	l.apply("removed", "ordatic", accepted("o-1"))
	l.pizza()
	c := l.serve(func(config *api.Config) {
		config.Arrivals = &api.Arrivals{}
		config.Problems = []api.ProblemType{{Code: "credential-wrong", Status: http.StatusUnauthorized}}
	})
	for path, messages := range map[string]map[string]string{
		"/v1/orders":                     {"source": "did you mean ordatic? Use one of ivy, ordatic, removed"},
		"/v1/changes":                    {"source": "did you mean ordatic?", "state": "use placed, accepted"},
		"/v1/arrivals":                   {"source": "did you mean ordatic?", "verdict": "Use one of accepted, duplicate, refused, credential-wrong, 200, 401"},
		"/v1/stats/time-in-state":        {"source": "did you mean ordatic?", "state": "use placed, accepted"},
		"/v1/stats/timeseries":           {"source": "did you mean ordatic?", "state": "use placed, accepted"},
		"/v1/sources":                    nil,
		pizzaPath:                        {"at": "neither a stream sequence"},
		pizzaPath + "/proofs/" + proofID: nil,
	} {
		for parameter, message := range messages {
			problem := c.get(path+"?"+parameter+"=ordatik").refused(http.StatusBadRequest, "invalid-parameter")
			require.Equal(t, "query."+parameter, problem.Errors[0].Parameter, path)
			require.Contains(t, problem.Errors[0].Message, message, path)
		}
		problem := c.get(path+"?nonsense=1").refused(http.StatusBadRequest, "invalid-parameter")
		require.Equal(t, "query.nonsense", problem.Errors[0].Parameter, path)
		require.Contains(t, problem.Errors[0].Message, "there is no such parameter", path)
	}
	require.Len(t, c.list(map[string][]string{"source": {"removed"}}), 1, "nobody has configured it any more")
	require.Empty(t, c.list(map[string][]string{"source": {"ivy"}}), "nothing has come to it yet")
}
