package dashboard_test

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/ticketrail/ticketrail/cmd/ticketrail/config"
	"github.com/ticketrail/ticketrail/domain"
)

// screenshots is the folder that make screenshots has the pictures written to.
var screenshots = flag.String("screenshots", "", "write a picture of each page into this folder")

// maxPicture is what a picture in the repository may take, in bytes.
const maxPicture = 150 << 10

// Every page can be looked at in the documents, in both themes.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("make screenshots takes them")
	}
	require.NoError(t, os.MkdirAll(*screenshots, 0o755))
	s := newShop(t, func(c *config.Config) {
		c.Limits[domain.StatePlaced] = config.Duration(20 * time.Minute)
		c.Limits[domain.StateReady] = config.Duration(time.Millisecond)
	})
	order := s.story()
	s.day(24)
	s.ordatic("order-in-kitchen", "store-7", "o-2")
	s.ordatic("rider-error", "store-7", "o-2")
	s.setAside()
	s.compare()
	p := open(t, s.url())
	p.expect("409 (Conflict)") // there is no read model to go back to
	p.do(chromedp.EmulateViewport(1280, 800))
	p.later(13) // those that are accepted are late soon by then
	p.await(`document.querySelector('.late') && document.querySelector('.soon')`)
	for _, theme := range []string{"light", "dark"} {
		p.theme(theme)
		for _, place := range places(order) {
			p.hash(place.hash)
			p.await("document.querySelector(" + quote(place.ready) + ")")
			if place.name == "explanation" {
				p.do(chromedp.Evaluate[chromedp.Void]("document.querySelector('.tabs').scrollIntoView()"))
			}
			picture := p.picture()
			require.Less(t, len(picture), maxPicture, place.name)
			require.NoError(t, os.WriteFile(filepath.Join(*screenshots, place.name+"-"+theme+".webp"), picture, 0o644))
		}
	}
}

// picture takes a picture of what is in the window.
func (p *tab) picture() []byte {
	p.t.Helper()
	taken, err := chromedp.Call(p.ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatWebp, Quality: new(int64(80))})
	require.NoError(p.t, err)
	return taken.Data
}
