# Read by the Debian package's preinst and by scripts/install.

# What Node 24 is linked against; the RPM requires it by itself.
refuse_old_glibc() {
  # "glibc 2.17"; nothing where the C library is another one.
  found=$(getconf GNU_LIBC_VERSION 2>/dev/null || true)
  version=${found#glibc }
  case $version in
    [3-9].* | 2.2[89]* | 2.[3-9][0-9]* | 2.[1-9][0-9][0-9]*) return 0 ;;
  esac
  echo "cannot install calico-agent: it needs glibc 2.28 or later, and this host has ${found:-another C library}" >&2
  echo "  fix: run the agent as an image, which brings its own: docker build -t calico-host-agent . (docs/docker.md)" >&2
  return 1
}
