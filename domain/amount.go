package domain

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ErrAmount says that a text is no decimal number, or one of more digits than
// money can have.
var ErrAmount = errors.New("not an amount")

// maxAmountDigits bounds an amount: Payway sends 27 decimals, and no sum of
// money has more than a dozen digits before them.
const maxAmountDigits = 60

// Amount is a sum of money as an exact decimal text in the major unit of its
// currency, in the scale its provider gave: "32.00", "10.239", "500". It is
// never a float. The empty Amount means that none was given.
type Amount string

// ParseAmount reads a decimal number as JSON writes numbers, exponent included,
// and also with leading zeros, as some providers' strings have. The scale is
// kept ("32.0" stays "32.0"); an exponent is worked out ("1.5e1" gives "15").
// It returns [ErrAmount] for anything else and for more than 60 digits.
func ParseAmount(text string) (Amount, error) {
	return parseAmount(text, 0)
}

// ParseMinorAmount is [ParseAmount] for a number counted in the minor unit, of which
// the major one has 10 to the power of digits, such as cents with 2 digits: "11500"
// gives "115.00".
func ParseMinorAmount(text string, digits int) (Amount, error) {
	return parseAmount(text, -digits)
}

func parseAmount(text string, shift int) (Amount, error) {
	number, negative := strings.CutPrefix(text, "-")
	mantissa, exponent, err := cutExponent(number)
	if err != nil {
		return "", err
	}
	whole, fraction, pointed := strings.Cut(mantissa, ".")
	if !digits(whole) || pointed && !digits(fraction) {
		return "", fmt.Errorf("%w: %d bytes", ErrAmount, len(text))
	}
	scale := len(fraction) - exponent - shift
	unscaled := strings.TrimLeft(whole+fraction, "0")
	if len(unscaled)-min(scale, 0) > maxAmountDigits || scale > maxAmountDigits {
		return "", fmt.Errorf("%w: more than %d digits", ErrAmount, maxAmountDigits)
	}
	amount := place(unscaled, scale)
	if negative && strings.Trim(amount, "0.") != "" {
		amount = "-" + amount
	}
	return Amount(amount), nil
}

func cutExponent(number string) (mantissa string, exponent int, err error) {
	i := strings.IndexAny(number, "eE")
	if i < 0 {
		return number, 0, nil
	}
	exponent, err = strconv.Atoi(number[i+1:])
	if err != nil || exponent > maxAmountDigits || exponent < -maxAmountDigits {
		return "", 0, fmt.Errorf("%w: its exponent is out of range", ErrAmount)
	}
	return number[:i], exponent, nil
}

// place puts the decimal point so that scale digits follow it.
func place(unscaled string, scale int) string {
	if unscaled == "" && scale < 0 {
		scale = 0
	}
	if scale <= 0 {
		whole := unscaled + strings.Repeat("0", -scale)
		if whole == "" {
			return "0"
		}
		return whole
	}
	if missing := scale + 1 - len(unscaled); missing > 0 {
		unscaled = strings.Repeat("0", missing) + unscaled
	}
	point := len(unscaled) - scale
	return unscaled[:point] + "." + unscaled[point:]
}

func digits(text string) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return text != ""
}
