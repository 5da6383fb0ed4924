package simulate_test

import (
	"fmt"
	"time"

	"github.com/ticketrail/ticketrail/domain/provider/simulate"
)

// A meal whose first rider has trouble: what Ordatic tells of it, and when.
func ExampleSimulator_Order() {
	evening := time.Date(2026, 5, 1, 18, 0, 0, 0, time.UTC)
	for _, webhook := range simulate.New(1).Order("ordatic", 12, evening) {
		fmt.Println(evening.Add(webhook.After).Format(time.TimeOnly), webhook.Event)
	}
	// Output:
	// 18:00:00 order-accepted
	// 18:01:45 order-in-kitchen
	// 18:03:25 rider-created
	// 18:04:03 rider-picking
	// 18:15:38 order-ready-to-pick-up
	// 18:19:42 rider-error
	// 18:23:25 rider-created
	// 18:25:35 rider-picking
	// 18:26:56 rider-delivering
	// 18:43:43 rider-completed
}
