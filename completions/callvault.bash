# bash completion for callvault

_callvault() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  local command="" word index skip=""
  COMPREPLY=()

  # The command so far: its words without options and their values.
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=${COMP_WORDS[index]}
    if [[ -n $skip ]]; then
      skip=""
      continue
    fi
    case $word in
      --vault | --keeper | --socket | --as | --passphrase-file | --passphrase-command) skip=1 ;;
      -*) ;;
      *)
        if [[ -z $command ]]; then
          command=$word
        elif [[ " alias opt-out request breach notice report review person duty approvals journal keeper " == *" $command "* ]]; then
          command+=" $word"
        fi
        ;;
    esac
  done

  case $previous in
    --keeper | --vault | --journal | --into)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      return
      ;;
    -o | --passphrase-file | --output | --new-passphrase-file | --metrics-file | --meta-file | --certificate | --key | --against | --proof | --since | --text | --recipient-passphrase-file | --socket)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      return
      ;;
  esac

  local values=""
  case $command:$previous in
    *:--direction) values="in out" ;;
    ingest:--consent | ingest:--agent-consent) values="implied granted pending refused unknown" ;;
    find:--consent) values="unknown implied granted pending refused withdrawn" ;;
    *:--notice-played) values="yes no" ;;
    *:--basis) values="consent contract legal_obligation legitimate_interest" ;;
    ingest:--format) values="auto wav s16le ulaw alaw" ;;
    play:--format) values="wav opus" ;;
    copy:--format) values="wav opus vcon" ;;
    *:--channels) values="mixed caller agent caller,agent agent,caller" ;;
    "request open":--kind) values="inform access copy rectify object restrict erase portability withdraw" ;;
    "request open":--channel) values="post email fax visit phone web" ;;
    "request open":--requester) values="caller agent" ;;
    "request party":--answer) values="asked yes no silent requester" ;;
    "request decide":--decision) values="granted partly refused" ;;
    "request list":--state) values="open decided closed" ;;
    "breach open":--nature) values="confidentiality integrity availability" ;;
    "breach assess":--risk) values="none some high" ;;
    "breach notify":--whom) values="authority people" ;;
    "breach scope":--exposed) values="keeper disk person: backup:" ;;
    *:--state) values="live held restricted interrupted gone" ;;
    *:--track) values="caller agent both" ;;
    *:--purpose) values="service_quality customer_needs evaluation complaint legal_claims proof_of_interaction" ;;
    *:--party) values="caller agent" ;;
    consent:--set) values="granted refused withdrawn" ;;
    *:--role) values="officer reviewer evaluator auditor operator" ;;
    *:--complexity) values="0 1 2 3 4 5 6 7 8 9 10" ;;
  esac
  if [[ -n $values ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current")
    return
  fi

  local common="--vault --keeper --socket --as --passphrase-file --passphrase-command --json --quiet --help"
  local words=""
  case $command in
    "") words="init ingest find show play pause resume consent hold unhold erase purge prove-gone inspect check recover reindex status doctor backup restore may-record rectify restrict unrestrict copy disclose approve alias opt-out request breach notice report review person duty approvals journal keeper --version" ;;
    alias) words="add remove show" ;;
    backup) words="--verify" ;;
    recover) words="--give-up --complete" ;;
    restore) words="--into --check --verify" ;;
    keeper) words="rotate mirror status serve" ;;
    review) words="split join" ;;
    person) words="add assess accept renew list show passwd disable" ;;
    duty) words="set show" ;;
    approvals) words="list" ;;
    approve) words="--reject" ;;
    opt-out) words="add remove" ;;
    request) words="open assign decide extend party close show list answer" ;;
    breach) words="open assess notify note close show list scope" ;;
    notice) words="add list show" ;;
    report) words="processing data-map retention accesses requests notice" ;;
    journal) words="log verify checkpoint prove" ;;
    init) words="--organisation --time-zone --country-code --retention --unsafe-keeper --user --recorder-group" ;;
    ingest) words="--direction --caller --called --agent --consent --consent-offset --consent-method --agent-consent --notice --notice-played --basis --started-at --call-id --class --meta-file --format --rate --channels --bitrate --complexity --tell-safe --listen --most --idle" ;;
    find) words="--caller --called --agent --from --to --consent --call-id --direction --state --limit" ;;
    play) words="--track --from --to -o --output --force --format --purpose --reason" ;;
    consent) words="--party --set --evidence --keep-agent" ;;
    hold) words="--matter --until" ;;
    unhold) words="--matter" ;;
    erase) words="--caller --request --reason --dry-run" ;;
    purge) words="--dry-run --confirm --metrics-file" ;;
    check) words="--deep" ;;
    "opt-out add") words="--request" ;;
    "request open") words="--kind --channel --received --name --number --identity --document-hash --requester --note" ;;
    "alias add") words="--request" ;;
    rectify) words="--set --note --request" ;;
    restrict) words="--request --reason" ;;
    unrestrict) words="--request --reason" ;;
    "request assign") words="--to" ;;
    "request decide") words="--decision --reason" ;;
    "request extend") words="--reason" ;;
    "request party") words="--party --answer --recording --evidence" ;;
    "request close") words="--note" ;;
    "request list") words="--state --overdue" ;;
    copy) words="--request --purpose --format --recipient --recipient-passphrase-file -o --output --reason" ;;
    disclose) words="--authority --reference --basis --recipient --recipient-passphrase-file -o --output" ;;
    "notice add") words="--text --from --until" ;;
    "request answer") words="-o --output --force" ;;
    prove-gone) words="-o --output --force --certificate --key" ;;
    "journal verify") words="--against --key --journal --proof" ;;
    "journal prove") words="--index --since" ;;
    "review split") words="--of --need --output" ;;
    "review join") words="--name --new-passphrase-file --new-passphrase-command" ;;
    "breach open") words="--summary --nature --discovered --from --to" ;;
    "breach assess") words="--risk --reason" ;;
    "breach notify") words="--whom --at --reference --reason" ;;
    "breach note") words="--text" ;;
    "breach close") words="--note" ;;
    "breach scope") words="--from --to --exposed --list" ;;
    "report processing") words="--csv" ;;
    "report data-map") words="--csv" ;;
    "report retention") words="--csv" ;;
    "report accesses") words="--csv --from --to" ;;
    "report requests") words="--csv" ;;
    "person assess") words="--date --until" ;;
    "person renew") words="--until" ;;
    "person add") words="--role --until --new-passphrase-file --new-passphrase-command" ;;
    "keeper mirror") words="--unsafe-keeper --remove --destroyed" ;;
    "keeper serve") words="--idle-exit" ;;
    "person passwd") words="--new-passphrase-file --new-passphrase-command" ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words $common" -- "$current")
  if [[ $current != -* && ($command == ingest || $command == inspect || $command == init || $command == "duty set") ]]; then
    compopt -o filenames
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
  fi
}

complete -F _callvault callvault
