package recovery

import "fmt"

// Refusal says why the server must not open its files.
type Refusal struct {
	// Found says what is wrong, and where: file, offset, stream sequence.
	Found error
	hint  string
}

func (e *Refusal) Error() string {
	return fmt.Sprintf("the stream's files were not opened: %v", e.Found)
}

// Unwrap gives what was found.
func (e *Refusal) Unwrap() error { return e.Found }

// Hint gives the mend.
func (e *Refusal) Hint() string { return e.hint }

const (
	hintRestore = "nothing was changed. Make the stream anew from the archive: ticketrail restore --plan, then ticketrail restore; " +
		"the damaged files are kept aside"
	hintNoArchive = "nothing was changed. There is no archive to make the stream anew from: put back the data folder's newest backup, " +
		"or make it from one: ticketrail restore --from BACKUP"
	hintArchive = "nothing was changed. If the stream is the truth, have the archive made anew from it: ticketrail archive rebuild; " +
		"the present one is kept aside"
	hintEither = "nothing was changed. If the archive is the truth: ticketrail restore --accept; if the stream is: ticketrail archive rebuild. " +
		"Both keep the other one aside"
)

func (c *check) refuse(hint, format string, args ...any) error {
	if hint == hintRestore && c.archive.Empty() {
		hint = hintNoArchive
	}
	return &Refusal{Found: fmt.Errorf(format, args...), hint: hint}
}
