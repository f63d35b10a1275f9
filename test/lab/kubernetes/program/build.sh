#!/bin/bash
# build.sh SCRATCH: builds SCRATCH/kubernetes from the Go module k8s.io/kubernetes, with Debian's own Go. All that it
# downloads and compiles stays in SCRATCH. Go checks each module against its checksum database: there is no go.sum here,
# which would be 1,300 lines.
set -euo pipefail
shopt -s inherit_errexit

scratch=$1
export PATH=/usr/lib/go-1.19/bin:$PATH CGO_ENABLED=0
export GOPATH=$scratch/go GOCACHE=$scratch/cache GOFLAGS='-mod=mod -modcacherw -trimpath -buildvcs=false'
generated=k8s.io/kubernetes/pkg/generated/openapi

# The API's packages, and the types that their fields have.
api_packages() {
  local api
  api=$(go list -m -f '{{.Dir}}' k8s.io/api)
  grep -rlE --include=doc.go '^// \+k8s:openapi-gen=true' "$api" | xargs dirname | sed "s|^$api|k8s.io/api|" | sort
  printf 'k8s.io/apimachinery/pkg/%s\n' api/resource apis/meta/v1 apis/meta/v1beta1 runtime util/intstr version
  printf 'k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/%s\n' v1 v1beta1
  printf 'k8s.io/kube-aggregator/pkg/apis/apiregistration/%s\n' v1 v1beta1
}

# link_sources PACKAGE...: a GOPATH of links to the packages and what they import. The generator knows no modules.
link_sources() {
  local package directory
  go list -deps -f '{{if not .Standard}}{{.ImportPath}} {{.Dir}}{{end}}' "$@" | while read -r package directory; do
    mkdir -p "$scratch/gopath/src/$package"
    ln -sf "$directory"/*.go "$scratch/gopath/src/$package/"
  done
}

# The apiserver's OpenAPI definitions: the build of Kubernetes generates them, its Go module is without.
generate_openapi() {
  local packages inputs
  packages=$(api_packages)
  mapfile -t inputs <<<"$packages"
  link_sources "${inputs[@]}"
  go build -o "$scratch/openapi-gen" k8s.io/kube-openapi/cmd/openapi-gen
  (
    cd "$scratch"
    GOPATH=$scratch/gopath GO111MODULE=off ./openapi-gen --go-header-file /dev/null --output-base "$scratch/openapi" \
      --output-package $generated --output-file-base zz_generated.openapi --report-filename "$scratch/violations" \
      "${inputs[@]/#/--input-dirs=}"
  )
}

# The linker's flags that name the release: the apiserver reports that of client-go, all others that of component-base.
version_flags() {
  local package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- "-X $package.%s " gitVersion=v1.23.17 gitMajor=1 gitMinor=23
  done
}

# Go 1.19 reads packages of the module cache from an index, which knows of no overlay: goindex=0. No debugging symbols,
# and a compiler that collects garbage less often: 40 percent less CPU time.
compile() {
  local target
  target=$(go list -m -f '{{.Dir}}' k8s.io/kubernetes)/pkg/generated/openapi/zz_generated.openapi.go
  printf '{"Replace": {"%s": "%s"}}' "$target" "$scratch/openapi/$generated/zz_generated.openapi.go" >"$scratch/overlay.json"
  GODEBUG=goindex=0 GOGC=400 go build -overlay "$scratch/overlay.json" -tags providerless -gcflags=all=-dwarf=false \
    -ldflags "-s -w $(version_flags)" \
    -o "$scratch/kubernetes" .
}

mkdir -p "$scratch/program"
cp "$(dirname "$0")"/{go.mod,main.go} "$scratch/program/"
cd "$scratch/program"
go mod download k8s.io/api k8s.io/kubernetes # so that they have directories
generate_openapi
compile
