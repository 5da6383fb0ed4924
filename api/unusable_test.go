package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/api"
)

// A body that is none, or not what an operation takes, is refused with what it lacks and
// what it may have.
func TestARefusedBodyTellsWhatToSend(t *testing.T) {
	t.Parallel()
	p := startPipeline(t)
	const (
		rebuild = "send a JSON object, {} at the least; it may have accept, plan, until, until_time"
		discard = "send a JSON object with reason; it may have plan"
	)
	for _, c := range []struct{ path, body, parameter, message string }{
		{"/v1/rebuilds", "", "body", "is empty: " + rebuild},
		{"/v1/rebuilds", "[]", "body", "expected object: " + rebuild},
		{"/v1/rebuilds", `{"paln":true}`, "body.paln", "there is no such field: did you mean plan? Use one of accept, plan, until, until_time"},
		{"/v1/rebuilds", `{"plan":"yes"}`, "body.plan", "expected boolean"},
		{"/v1/quarantine/r-1/discard", "", "body", "is empty: " + discard},
		{"/v1/quarantine/r-1/discard", "{}", "body.reason", "is missing: " + discard},
		{"/v1/quarantine/retry", "", "body", "is empty: send a JSON object, {} at the least; it may have all, cause, cursor, kind, limit, plan, reason, source, trust, until"},
		{pizzaPath + "/erase", "", "body", "is empty: send a JSON object, {} at the least; it may have plan, reason"},
	} {
		problem := p.post(c.path, c.body).refused(http.StatusBadRequest, "invalid-parameter")
		require.Equal(t, []api.ParameterProblem{{Parameter: c.parameter, Message: c.message}}, problem.Errors, c.path)
	}
}
