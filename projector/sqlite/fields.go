package sqlite

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/ticketrail/ticketrail/domain"
)

// differingFields compares two JSON documents leaf by leaf; either may be empty.
func differingFields(inUse, rebuilt []byte) []domain.FieldDifference {
	left, right := leaves(inUse), leaves(rebuilt)
	pointers := slices.Sorted(maps.Keys(left))
	for pointer := range right {
		if _, both := left[pointer]; !both {
			pointers = append(pointers, pointer)
		}
	}
	slices.Sort(pointers)
	var fields []domain.FieldDifference
	for _, pointer := range pointers {
		if left[pointer] != right[pointer] {
			fields = append(fields, domain.FieldDifference{Pointer: pointer, InUse: left[pointer], Rebuilt: right[pointer]})
		}
	}
	return fields
}

// leaves gives every leaf of a document by its JSON pointer. One that is damaged
// is a leaf of its own.
func leaves(document []byte) map[string]string {
	all := map[string]string{}
	if len(document) == 0 {
		return all
	}
	if err := addLeaves(all, "", document); err != nil {
		return map[string]string{"": string(document)}
	}
	return all
}

func addLeaves(all map[string]string, pointer string, value jsontext.Value) error {
	switch value.Kind() {
	case jsontext.KindBeginObject:
		members := map[string]jsontext.Value{}
		if err := json.Unmarshal(value, &members); err != nil {
			return err
		}
		for name, member := range members {
			if err := addLeaves(all, pointer+"/"+escapePointer(name), member); err != nil {
				return err
			}
		}
	case jsontext.KindBeginArray:
		var elements []jsontext.Value
		if err := json.Unmarshal(value, &elements); err != nil {
			return err
		}
		for i, element := range elements {
			if err := addLeaves(all, pointer+"/"+strconv.Itoa(i), element); err != nil {
				return err
			}
		}
	default:
		all[pointer] = string(value)
	}
	return nil
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}
