# Made by npm run docs from the tables of options; changes belong there.
# Copy to /usr/share/bash-completion/completions/waybill, or source it.
_waybill() {
  local current=${COMP_WORDS[COMP_CWORD]} words=''
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words='sensor interfaces enrich run replay normalize demo explain allow coverage drill backtest calibrate dead-letter check-config help version'
  elif [ "${current:0:1}" = '-' ]; then
    case ${COMP_WORDS[1]} in
      sensor) words='-r --read --format -v --verbose --observer --community-id-seed --evidence --max-flows --plain-bytes -j --jobs -q --quiet --to --spool --spool-mib -i --interface -f --filter --profile --shard --driver --user -o --out --status --snaplen --buffer --no-promiscuous --log-level -h --help' ;;
      interfaces) words='--json -h --help' ;;
      enrich) words='--store --data --config --listen --console --evidence --alerts --no-stdout --endpoint-file --worker --allow-eviction --backup --log-level -h --help' ;;
      run) words='-v --verbose --observer --community-id-seed --evidence --max-flows --plain-bytes -j --jobs -i --interface -f --filter --profile --shard --driver --user --status --snaplen --buffer --no-promiscuous --log-level --data --config --listen --console --alerts --no-stdout --endpoint-file -h --help' ;;
      replay) words='--capture --flows --endpoint --config --all --data --evidence --json --fail-on -h --help' ;;
      normalize) words='--host --zone -q --quiet -h --help' ;;
      demo) words='--exit --port --data --json -h --help' ;;
      explain) words='--data --store --format --json --bundle --evidence --endpoint --config -h --help' ;;
      allow) words='--data --store --destination --identity --image --signer --host --user --max-bytes --owner --reason --expires --json -h --help' ;;
      coverage) words='--data --store --from --to --json -h --help' ;;
      drill) words='--service --token-file --to --size --push --without --wait --every --history --json -h --help' ;;
      backtest) words='--data --store --config --against --json -h --help' ;;
      calibrate) words='--data --store --config --incidents --out --json -h --help' ;;
      dead-letter) words='--store --data --json -h --help' ;;
      check-config) words='--print -h --help' ;;
    esac
  else
    COMPREPLY=($(compgen -f -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o filenames -F _waybill waybill
