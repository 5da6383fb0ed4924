package config

import "fmt"

// Error is a configuration that the program cannot run with.
type Error struct {
	// Origin is where the value was set: "ticketrail.yaml:7",
	// "TICKETRAIL_API_LISTEN", "--api-listen" or "the default".
	Origin string
	// Key is the key's path, such as "sources[1].name"; empty where the whole file
	// is meant.
	Key string
	// Problem says what is wrong, and Mend what to do about it. Neither ever holds
	// a secret.
	Problem, Mend string
}

func (e *Error) Error() string {
	if e.Key == "" {
		return fmt.Sprintf("%s: %s", e.Origin, e.Problem)
	}
	return fmt.Sprintf("%s: %s: %s", e.Origin, e.Key, e.Problem)
}

// Hint gives the mend.
func (e *Error) Hint() string { return e.Mend }

// misfit is what is wrong with a value, before it is known where it was set.
type misfit struct{ problem, mend string }

func (m *misfit) Error() string { return m.problem }

// Hint gives the mend, where a flag that is no setting holds such a value.
func (m *misfit) Hint() string { return m.mend }

func misfitf(mend, problem string, args ...any) error {
	return &misfit{problem: fmt.Sprintf(problem, args...), mend: mend}
}
