# Read by the packages' scripts and by scripts/install, which scripts/package puts it into: no agent is needed for it.

# The runs under the state directory $1 that need their journals: "interrupted RUN" or "stuck RUN", one a line. A stuck
# run needs its journal until it was settled, or a later one has taken its place; a prefetch changes nothing that runs,
# and takes no place.
unsettled_runs() {
  newest=0
  stuck=
  for journal in "$1"/runs/*.jsonl; do
    [ -e "$journal" ] || continue
    # A torn last line was never acted on, and a run without a whole first one never began.
    lines=$(wc -l <"$journal")
    [ "$lines" -gt 0 ] || continue
    run=$(basename "$journal" .jsonl)
    # Records may follow the end: a late uncordon, or that a stuck run was settled.
    outcome=$(head -n "$lines" "$journal" |
      sed -n 's/.*"type":"finished","outcome":"\([a-z-]*\)".*/\1/p; s/.*"type":"\(settled\)"}$/\1/p' | tail -n 1)
    if head -n 1 "$journal" | grep -q '"plan":{"run":"[^"]*","command":"prefetch"'; then continue; fi
    [ -n "$outcome" ] || echo "interrupted $run"
    order=$(head -n 1 "$journal" | sed -n 's/.*"type":"run","order":\([0-9]*\),.*/\1/p')
    [ "${order:-0}" -ge "$newest" ] || continue
    newest=${order:-0}
    stuck=
    if [ "$outcome" = stuck ]; then stuck=$run; fi
  done
  if [ -n "$stuck" ]; then echo "stuck $stuck"; fi
}

# Whether another process holds the lock of the state directory $1.
is_at_work() { [ -e "$1/lock" ] && ! flock -n -s "$1/lock" true; }

# Refuses to take the agent away from under a run: $1 is the state directory, $2 the agent's name.
refuse_unsettled() {
  if is_at_work "$1"; then
    echo "cannot remove $2: a run is in flight: $(cat "$1/lock")" >&2
    echo "  fix: wait until it is done; $2 status shows it" >&2
    return 1
  fi
  unsettled_runs "$1" | (
    refused=0
    while read -r why run; do
      if [ "$why" = interrupted ]; then
        echo "cannot remove $2: run $run was interrupted, and this host may be half changed" >&2
        echo "  fix: $2 resume finishes or unwinds it; then remove $2 again" >&2
        refused=1
      else
        echo "$2: run $run is stuck: its journal $1/runs/$run.jsonl stays, settle it by hand with it" >&2
      fi
    done
    exit $refused
  )
}
