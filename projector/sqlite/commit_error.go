package sqlite

import (
	"errors"
	"fmt"

	"github.com/mattn/go-sqlite3"
)

// CommitError says that a batch could not be written. Nothing of it was.
type CommitError struct {
	StreamSequence uint64 // up to which the batch goes
	Err            error
}

func (e *CommitError) Error() string {
	return fmt.Sprintf("commit up to stream sequence %d: %v", e.StreamSequence, e.Err)
}

// Unwrap gives the cause.
func (e *CommitError) Unwrap() error { return e.Err }

// commitHints say what can be done, by the code of SQLite's error.
var commitHints = map[sqlite3.ErrNo]string{
	sqlite3.ErrFull:     "free space on the disk of the read model: it goes on by itself then",
	sqlite3.ErrBusy:     "end the program that has the read model's file open and locks it: it goes on by itself then",
	sqlite3.ErrIoErr:    "see whether the disk of the read model is well and has room: it goes on by itself then",
	sqlite3.ErrReadonly: "let ticketrail write to the read-model folder and its disk, and restart it",
	sqlite3.ErrCantOpen: "let ticketrail write to the read-model folder and its disk, and restart it",
	sqlite3.ErrCorrupt:  "the read model's file is damaged; have it made again from the stream: ticketrail rebuild --accept",
	sqlite3.ErrNotADB:   "the read model's file is damaged; have it made again from the stream: ticketrail rebuild --accept",
}

// Hint gives the mend, empty where none is known.
func (e *CommitError) Hint() string {
	fault, _ := errors.AsType[sqlite3.Error](e.Err)
	return commitHints[fault.Code]
}
