#!/bin/bash
# Pipes, command substitution, traps, background jobs, here-documents, process substitution.  script.sh DIRECTORY ROUNDS
set -u
cd "$1" || exit 1
rounds=$2
received=0
trap 'received=$((received + 1))' USR1
trap 'echo "leaving after $received signals"' EXIT

work() {
  local i sum=0
  for ((i = 0; i < 6000; i++)); do sum=$(((sum * 31 + i) % 1000003)); done
  echo "$sum"
}

for ((turn = 0; turn < rounds; turn++)); do
  word=$(printf '%s\n' gamma alpha beta | sort | head -n 1)
  number=$(work)
  seq 1 2000 | grep -c 7 | tr -d '\n' > "count-$turn"
  (sleep 0.05; kill -USR1 $$) &
  signaller=$!
  sleep 0.1 & sleeper=$!
  work > "background-$turn" & worker=$!
  # wait returns early with a status above 128 when a trap runs; ask again until the job is really done.
  for job in $signaller $sleeper $worker; do
    while kill -0 "$job" 2> /dev/null; do wait "$job"; done
  done
  cat > here-$turn <<END
$turn $word $number $(cat "count-$turn")
END
  diff <(cat "background-$turn") <(work) > /dev/null && echo "round $turn: $(cat here-$turn)"
  false | true
  echo "statuses ${PIPESTATUS[*]}" >> statuses
  (exit $((turn % 250)))
  echo "subshell $?" >> statuses
done
wait
ls | wc -l
exit 9
