package app

import "github.com/prometheus/client_golang/prometheus"

// Metrics are those of a running program.
func (a *App) Metrics() *prometheus.Registry { return a.metrics }
