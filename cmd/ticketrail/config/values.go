package config

import (
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Secret is a value that must not be shown: whatever prints, logs or marshals it
// gets "[secret]". Only Reveal gives the value.
type Secret string

const hidden = "[secret]"

// Reveal gives the value.
func (s Secret) Reveal() string { return string(s) }

// String gives "[secret]".
func (s Secret) String() string { return hidden }

// GoString gives "[secret]".
func (s Secret) GoString() string { return hidden }

// LogValue gives "[secret]".
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText gives "[secret]".
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Size is a number of bytes, written as 4MiB, 512KiB, 10GB or plain digits.
type Size int64

var (
	sizeForm  = regexp.MustCompile(`^([0-9]{1,15})([KMGT]i?)?B?$`)
	sizeUnits = map[string]int64{
		"": 1, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
		"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
	}
)

// ParseSize reads a size.
func ParseSize(text string) (Size, error) {
	parts := sizeForm.FindStringSubmatch(text)
	if parts == nil {
		return 0, misfitf("write a number of bytes such as 4MiB, 512KiB, 10GB or 1048576", "%q is not a size", text)
	}
	number, err := strconv.ParseInt(parts[1], 10, 64)
	unit := sizeUnits[parts[2]]
	if err != nil || number > (1<<62)/unit {
		return 0, misfitf("write a size below 4EiB", "%q is too large", text)
	}
	return Size(number * unit), nil
}

// String gives the size in the largest binary unit that divides it.
func (s Size) String() string {
	for _, unit := range []string{"Ti", "Gi", "Mi", "Ki"} {
		if n := Size(sizeUnits[unit]); s != 0 && s%n == 0 {
			return strconv.FormatInt(int64(s/n), 10) + unit + "B"
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// Duration is a span of time, written as Go writes it (90s, 2m, 1h30m) and also
// in days (7d, 1d12h).
type Duration time.Duration

var daysForm = regexp.MustCompile(`^([0-9]{1,5})d(.*)$`)

// ParseDuration reads a duration, which cannot be negative.
func ParseDuration(text string) (Duration, error) {
	var days time.Duration
	rest := text
	if parts := daysForm.FindStringSubmatch(text); parts != nil {
		number, err := strconv.Atoi(parts[1])
		if err != nil {
			return 0, err
		}
		days, rest = time.Duration(number)*24*time.Hour, parts[2]
	}
	if rest == "" && days > 0 {
		return Duration(days), nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || strings.HasPrefix(rest, "+") {
		return 0, misfitf("write a duration such as 90s, 2m, 12h or 7d", "%q is not a duration", text)
	}
	return Duration(days + d), nil
}

// String gives the duration as Go writes it, without the parts at its end that are zero:
// 10m and 168h, and 0.
func (d Duration) String() string {
	if d == 0 {
		return "0"
	}
	text := time.Duration(d).String()
	if short, whole := strings.CutSuffix(text, "m0s"); whole {
		text = short + "m"
	}
	if short, whole := strings.CutSuffix(text, "h0m"); whole {
		text = short + "h"
	}
	return text
}
