#!/bin/sh
# runc for a machine whose bounding set lacks capabilities (@missing@): a privileged container asks for all of them
# and runc refuses. They are dropped from the bundle's config.json, and from the process file of an exec.
set -eu
previous=
for arg in "$@"; do
  case $previous in
    --bundle | -b) file=$arg/config.json ;;
    --process | -p) file=$arg ;;
    *) file= ;;
  esac
  if [ -n "$file" ] && [ -f "$file" ]; then
    jq -c --argjson missing '@missing@' \
      'if .process.capabilities then .process.capabilities |= map_values(. - $missing)
       elif .capabilities then .capabilities |= map_values(. - $missing) else . end' \
      "$file" > "$file.lab"
    mv "$file.lab" "$file"
  fi
  previous=$arg
done
exec runc "$@"
