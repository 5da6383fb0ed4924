package simulate

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// dice is a source of randomness with the throws that stories need.
type dice struct{ *rand.Rand }

// chance is true in so many of a hundred throws.
func (d dice) chance(percent int) bool { return d.IntN(100) < percent }

// between gives a number from low to high, both included.
func (d dice) between(low, high int) int { return low + d.IntN(high-low+1) }

// letters gives n characters of an alphabet.
func (d dice) letters(n int, alphabet string) string {
	var text strings.Builder
	for range n {
		text.WriteByte(alphabet[d.IntN(len(alphabet))])
	}
	return text.String()
}

// hex gives n hexadecimal digits. The ids made of it are long enough that no two
// of a million orders are the same.
func (d dice) hex(n int) string { return d.letters(n, "0123456789abcdef") }

// digits gives n decimal digits.
func (d dice) digits(n int) string { return d.letters(n, "0123456789") }

// price gives a sum between two sums in the major unit, at the prices that shops like.
func (d dice) price(low, high int) money {
	return money(100*d.between(low, high-1) + pick(d, 0, 50, 90, 95, 99))
}

// pick gives one of the choices.
func pick[T any](d dice, choices ...T) T { return choices[d.IntN(len(choices))] }

// money is a sum in hundredths of the major unit.
type money int

// String gives the sum with two decimals: "32.50".
func (m money) String() string { return fmt.Sprintf("%d.%02d", m/100, m%100) }

// oneDecimal gives the sum as programs do that drop a last zero: "32.5", "32.0".
func (m money) oneDecimal() string { return strings.TrimSuffix(m.String(), "0") }

// number gives the sum as JavaScript writes a number: 32.5, 32.
func (m money) number() jsontext.Value {
	return jsontext.Value(strings.TrimSuffix(strings.TrimRight(m.String(), "0"), "."))
}
