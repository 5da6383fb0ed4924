package app

import (
	"math"
	"runtime"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"golang.org/x/sys/unix"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
)

// newMetrics gives a registry with what is known before anything is opened: the program,
// and the disks that it will write to. A folder that cannot be looked at gives NaN.
func newMetrics(version string, folders map[string]string) *prometheus.Registry {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	auto := promauto.With(registry)
	auto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "ticketrail_build_info",
		Help: "Always 1: the labels are the version of the program and that of Go.",
	}, []string{"version", "go_version"}).WithLabelValues(version, runtime.Version()).Set(1)
	for name, path := range folders {
		labels := prometheus.Labels{"folder": name}
		auto.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "ticketrail_disk_free_bytes",
			Help:        "What is free on the disk of a folder, for who is not root.",
			ConstLabels: labels,
		}, func() float64 { return bytesOf(path, func(disk *unix.Statfs_t) uint64 { return disk.Bavail }) })
		auto.NewGaugeFunc(prometheus.GaugeOpts{
			Name:        "ticketrail_disk_size_bytes",
			Help:        "The size of the disk of a folder.",
			ConstLabels: labels,
		}, func() float64 { return bytesOf(path, func(disk *unix.Statfs_t) uint64 { return disk.Blocks }) })
	}
	return registry
}

// foldersOf gives the folders that grow, by the names that metrics give them.
func foldersOf(c *config.Config) map[string]string {
	folders := map[string]string{"data": c.Data}
	if archive := ArchiveFolder(c); archive != "" {
		folders["archive"] = archive
	}
	return folders
}

// bytesOf gives the bytes of some blocks of the disk that a folder is on.
func bytesOf(folder string, blocks func(*unix.Statfs_t) uint64) float64 {
	var disk unix.Statfs_t
	if err := unix.Statfs(folder, &disk); err != nil {
		return math.NaN()
	}
	return float64(blocks(&disk)) * float64(disk.Bsize)
}

// showArchive shows how far the archive is.
func (a *App) showArchive() {
	promauto.With(a.metrics).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ticketrail_archive_last_sequence",
		Help: "The stream sequence up to which the archive has every webhook on disk.",
	}, func() float64 { return float64(a.keeper.Reached()) })
}
