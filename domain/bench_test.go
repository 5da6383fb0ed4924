package domain_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/ticketrail/ticketrail/domain"
)

// BenchmarkElements is what one element costs in a webhook that has many, into an
// order that has as many already: much the same, however many there are.
func BenchmarkElements(b *testing.B) {
	for _, many := range []int{100, 1_000, 10_000} {
		b.Run(strconv.Itoa(many), func(b *testing.B) {
			event := func(first int) *domain.Event {
				refunds := make([]domain.Refund, many)
				for i := range refunds {
					refunds[i].ID = fmt.Sprintf("%06d", first-2*i)
				}
				return &domain.Event{Refunds: refunds}
			}
			known, more := fold(event(2*many)), event(2*many+1)
			for b.Loop() {
				order := *known
				apply(&order, more)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*many), "ns/element")
		})
	}
}
