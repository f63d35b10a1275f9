#!/bin/sh
# runc for a machine whose bounding set lacks capabilities (@missing@): a privileged container asks for all of them
# and runc refuses. They are dropped from the bundle's config.json, and from the process file of an exec. Without
# CAP_SYS_RESOURCE no process can be made safer from the OOM killer either, as the kubelet asks for a pod's.
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
      'def allowed:
         if .capabilities then .capabilities |= map_values(. - $missing) else . end
         | if (.oomScoreAdj // 0) < 0 then .oomScoreAdj = 0 else . end;
       if .process then .process |= allowed else allowed end' \
      "$file" > "$file.lab"
    mv "$file.lab" "$file"
  fi
  previous=$arg
done
exec runc "$@"
