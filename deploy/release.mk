# What is released: binaries, archives, packages, images, the chart, and what is in them. The
# same commit gives the same bytes, wherever its folder is.

ARCHES    := amd64 arm64
HOST_ARCH := $(shell go env GOARCH)
DIST      := dist

# Either machine builds both: for its own processor with its own compiler.
CC_amd64 := x86_64-linux-gnu-gcc
CC_arm64 := aarch64-linux-gnu-gcc
CC_$(HOST_ARCH) := $(shell go env CC)

# Nothing that is built bears a later time than its commit, nor the builder's umask.
export SOURCE_DATE_EPOCH := $(shell git log -1 --format=%ct 2>/dev/null || echo 0)

# Where Debian and Alpine, and where Fedora, have the certificates that are trusted.
CERTIFICATES := /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt

TAR := tar --sort=name --mtime=@$(SOURCE_DATE_EPOCH) --owner=0 --group=0 --numeric-owner

# Versions as packages are ordered by: ~ is before the release, + behind it.
DEB_VERSION := $(shell echo '$(VERSION)' | sed -E 's/^v//; s/-([0-9]+)-g/+\1.g/; s/-/~/; s/-/./g')

CYCLONEDX := bin/cyclonedx-gomod-v1.10.0
HELM      := bin/helm-v4.3.1
VALIDATE  := bin/kubectl-validate-v0.0.4
COMPOSE   := bin/compose-v2.16.2
PROMTOOL  := bin/promtool

# Containers of its own, so that those of the machine stay as they are.
BUILDAH := buildah --root $(CURDIR)/bin/containers/root --runroot $(CURDIR)/bin/containers/run --storage-driver vfs

##@ Ship

.PHONY: static
static: $(ARCHES:%=static-%) ## build bin/linux-*/ticketrail, which need nothing of the machine they run on

.PHONY: $(ARCHES:%=static-%)
$(ARCHES:%=static-%): static-%: compiler
	@install -d -m 755 bin/linux-$*/data && install -d -m 755 bin/linux-$*/tmp
	@GOOS=linux GOARCH=$* CC='$(CC_$*)' go build -trimpath -buildvcs=false \
		-tags '$(TAGS) netgo osusergo no_antithesis_sdk' \
		-ldflags '$(LDFLAGS) -buildid= -linkmode external -extldflags "-static"' \
		-o bin/linux-$*/ticketrail ./cmd/ticketrail
	@install -m 644 "$$(ls $(CERTIFICATES) 2>/dev/null | head -n 1)" bin/linux-$*/ca-certificates.crt

$(filter-out static-$(HOST_ARCH),$(ARCHES:%=static-%)): release-tools

.PHONY: image
image: static-$(HOST_ARCH) ## build the container image of this machine with ENGINE (docker)
	@$(ENGINE) build -f deploy/Dockerfile -t ticketrail:$(VERSION) bin/linux-$(HOST_ARCH)

.PHONY: release
release: clean-dist $(ARCHES:%=release-%) release-chart ## build all that is released into dist/, with sums and what is in it
	@cd $(DIST) && find . -maxdepth 1 -type f ! -name SHA256SUMS -printf '%f\n' | LC_ALL=C sort | xargs sha256sum >SHA256SUMS
	@cd $(DIST) && stat -c '%s %n' * | awk '{ printf "%7.1f MB  %s\n", $$1 / 1e6, $$2 }'

.PHONY: clean-dist
clean-dist:
	@rm -rf $(DIST) && mkdir $(DIST)

.PHONY: $(ARCHES:%=release-%)
$(ARCHES:%=release-%): release-%: release-tools static-$(HOST_ARCH) static-% $(CYCLONEDX)
	@deploy/release/folder $* bin/release/ticketrail-$(VERSION)-linux-$*
	@$(TAR) -C bin/release -c ticketrail-$(VERSION)-linux-$* | gzip -n -9 >$(DIST)/ticketrail-$(VERSION)-linux-$*.tar.gz
	@deploy/release/deb $* $(DEB_VERSION) bin/release/ticketrail-$(VERSION)-linux-$* $(DIST)/ticketrail_$(DEB_VERSION)_$*.deb
	@deploy/release/sbom $* $(VERSION) $(DIST)/ticketrail-$(VERSION)-linux-$*.cdx.json '$(CC_$*)' $(CYCLONEDX)
	@deploy/release/image $* $(VERSION) $(DIST)/ticketrail-$(VERSION)-image-$*.tar.gz $(BUILDAH)

# Helm packs with the times of the files, which no two checkouts share: it is packed again.
.PHONY: release-chart
release-chart: $(HELM)
	@rm -rf bin/release/chart && mkdir -p bin/release/chart
	@$(HELM) package deploy/helm/ticketrail --version $(VERSION:v%=%) --app-version $(VERSION) \
		--destination bin/release/chart >/dev/null 2> >(grep -v 'symbolic link' >&2 || true)
	@cd bin/release/chart && tar -xzf ticketrail-*.tgz && chmod -R u=rwX,go=rX ticketrail
	@$(TAR) -C bin/release/chart -c ticketrail | gzip -n -9 >$(DIST)/ticketrail-$(VERSION:v%=%).tgz

.PHONY: deploy-check
deploy-check: release ## look at all that is released: run it, lint it, install it (needs root on Debian)
	@HELM=$(HELM) VALIDATE=$(VALIDATE) COMPOSE=$(COMPOSE) PROMTOOL=$(PROMTOOL) \
		deploy/release/check $(VERSION) $(DEB_VERSION) $(BUILDAH)
deploy-check: $(VALIDATE) $(COMPOSE) $(PROMTOOL)

.PHONY: release-tools
release-tools:
	@.ci/release-tools

# Tools are pinned by the names of their files and built once; they are no dependencies of the program.

$(CYCLONEDX):
	@$(call tool,github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod)

$(HELM):
	@$(call tool,helm.sh/helm/v4/cmd/helm)

$(VALIDATE):
	@$(call tool,sigs.k8s.io/kubectl-validate)

$(COMPOSE):
	@$(call tool,github.com/compose-spec/compose-go/v2/cmd)

# Debian's, out of a package that would start a server where it is installed.
$(PROMTOOL):
	@mkdir -p bin/prometheus && cd bin/prometheus && apt-get download -qq prometheus 2>/dev/null && \
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool && mv usr/bin/promtool $(CURDIR)/$@

define tool
rm -rf bin/tool && GOBIN=$(CURDIR)/bin/tool go install -trimpath $(1)@$(lastword $(subst -v, v,$@)) && mv bin/tool/* $@
endef
