package domain_test

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ticketrail/ticketrail/domain"
)

// Amounts keep the scale they were given in, and lose needless zeros in front
// and the sign of nothing.
func TestAmountKeepsItsScale(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]domain.Amount{
		"32.00":                         "32.00",
		"32.0":                          "32.0",
		"500":                           "500",
		"0":                             "0",
		"0.00":                          "0.00",
		"-0.0":                          "0.0",
		"-1.50":                         "-1.50",
		"007.10":                        "7.10",
		"10.239":                        "10.239",
		"1.5e1":                         "15",
		"15e-1":                         "1.5",
		"1E+2":                          "100",
		"0e9":                           "0",
		"1.811320754716981132075471699": "1.811320754716981132075471699",
	} {
		amount, err := domain.ParseAmount(text)
		require.NoError(t, err, text)
		require.Equal(t, want, amount, text)
	}
}

// Hundredths of the major unit become the major unit, exactly.
func TestMinorAmountCountsHundredths(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]domain.Amount{
		"11500":   "115.00",
		"5":       "0.05",
		"0":       "0.00",
		"-250":    "-2.50",
		"11500.5": "115.005",
		"115e2":   "115",
	} {
		amount, err := domain.ParseMinorAmount(text, 2)
		require.NoError(t, err, text)
		require.Equal(t, want, amount, text)
	}
}

// What is no decimal number, or one larger or finer than money is, gives
// ErrAmount, whose text does not hold what the sender wrote.
func TestAmountRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "-", "+1", "--1", ".5", "5.", "1.2.3", "1,5", "1_000", "0x10", " 1", "1 ", "NaN", "Inf", "٣",
		"e1", "1e", "1e1.5", "1e400", "1e-400", "1e99999999999999999999", "1e60",
		strings.Repeat("9", 61), "0." + strings.Repeat("1", 61),
	} {
		amount, err := domain.ParseAmount(text)
		require.ErrorIs(t, err, domain.ErrAmount, text)
		require.Empty(t, amount)
		if len(text) > 4 {
			require.NotContains(t, err.Error(), text)
		}
	}
}

// An amount is worth what math/big says its text is worth, and has as many
// digits after the point as the text gives once its exponent is worked out.
func TestAmountIsExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.StringMatching(`[0-9]{1,15}`).Draw(t, "whole")
		fraction := rapid.StringMatching(`[0-9]{0,27}`).Draw(t, "fraction")
		exponent := rapid.IntRange(-12, 12).Draw(t, "exponent")
		text := rapid.SampledFrom([]string{"", "-"}).Draw(t, "sign") + whole
		if fraction != "" {
			text += "." + fraction
		}
		if exponent != 0 {
			text += fmt.Sprintf("e%d", exponent)
		}

		amount, err := domain.ParseAmount(text)
		require.NoError(t, err)
		requireWorth(t, amount, rational(t, text))
		require.Equal(t, max(0, len(fraction)-exponent), scaleOf(amount))

		minor, err := domain.ParseMinorAmount(text, 2)
		require.NoError(t, err)
		requireWorth(t, minor, new(big.Rat).Quo(rational(t, text), big.NewRat(100, 1)))
		require.Equal(t, max(0, len(fraction)-exponent+2), scaleOf(minor))
	})
}

// Whatever the text, an amount that is given is worth what the text says, is of
// bounded length, and reads as itself.
func FuzzParseAmount(f *testing.F) {
	for _, seed := range []string{"32.00", "-0.0", "1.5e1", "1e60", "1e-60", "00", "5.", ".5", "", "1e400", "1E+2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		amount, err := domain.ParseAmount(text)
		if err != nil {
			require.ErrorIs(t, err, domain.ErrAmount)
			return
		}
		requireWorth(t, amount, rational(t, text))
		require.LessOrEqual(t, len(amount), len("-0.")+60)
	})
}

func requireWorth(t require.TestingT, amount domain.Amount, want *big.Rat) {
	have, ok := new(big.Rat).SetString(string(amount))
	require.True(t, ok, amount)
	require.Zero(t, have.Cmp(want), "%s is not %s", amount, want)
	again, err := domain.ParseAmount(string(amount))
	require.NoError(t, err)
	require.Equal(t, amount, again)
}

func rational(t require.TestingT, text string) *big.Rat {
	value, ok := new(big.Rat).SetString(text)
	require.True(t, ok, text)
	return value
}

func scaleOf(amount domain.Amount) int {
	_, fraction, _ := strings.Cut(string(amount), ".")
	return len(fraction)
}
