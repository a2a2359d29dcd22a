# fish completion for callvault

complete -c callvault -f

function __callvault_at_top
  not __fish_seen_subcommand_from init ingest find show play consent hold unhold erase purge prove-gone inspect check recover reindex status doctor pause resume may-record restrict unrestrict opt-out request person journal
end

function __callvault_in_group -a group
  __fish_seen_subcommand_from $group; and not __fish_seen_subcommand_from $argv[2..]
end

complete -c callvault -l vault -x -a '(__fish_complete_directories)' -d 'the vault\'s folder'
complete -c callvault -l keeper -x -a '(__fish_complete_directories)' -d 'the keeper\'s folder'
complete -c callvault -l as -x -d 'who acts'
complete -c callvault -l passphrase-file -r -F -d 'read the passphrase from FILE'
complete -c callvault -l passphrase-command -x -d 'read the passphrase from a command'
complete -c callvault -l json -d 'one JSON object a line, errors too'
complete -c callvault -l quiet -d 'no remarks on stderr'
complete -c callvault -s h -l help -d 'show help'
complete -c callvault -n __callvault_at_top -l version -d 'show the version'

complete -c callvault -n __callvault_at_top -a init -d 'make a vault, its keeper and its first person'
complete -c callvault -n __callvault_at_top -a ingest -d 'record one call: read audio to its end and seal it'
complete -c callvault -n __callvault_at_top -a find -d 'list recordings, newest first'
complete -c callvault -n __callvault_at_top -a show -d 'tell everything known about one recording'
complete -c callvault -n __callvault_at_top -a play -d 'open a recording for review or export'
complete -c callvault -n __callvault_at_top -a consent -d 'note a party\'s consent, refusal or withdrawal'
complete -c callvault -n __callvault_at_top -a hold -d 'put a recording under a legal hold'
complete -c callvault -n __callvault_at_top -a unhold -d 'end a legal hold'
complete -c callvault -n __callvault_at_top -a erase -d 'erase recordings on request'
complete -c callvault -n __callvault_at_top -a purge -d 'shred what expired'
complete -c callvault -n __callvault_at_top -a prove-gone -d 'prove that a recording is gone'
complete -c callvault -n __callvault_at_top -a inspect -d 'tell what a sealed file says without keys'
complete -c callvault -n __callvault_at_top -a check -d 'check that the vault is whole'
complete -c callvault -n __callvault_at_top -a recover -d 'finish or undo what a crash left'
complete -c callvault -n __callvault_at_top -a reindex -d 'rebuild the catalogue'
complete -c callvault -n __callvault_at_top -a status -d 'tell counts, what is overdue and the next expiry'
complete -c callvault -n __callvault_at_top -a doctor -d 'check that the host is safe'
complete -c callvault -n __callvault_at_top -a pause -d 'keep what is said in a live call from being recorded'
complete -c callvault -n __callvault_at_top -a resume -d 'record a paused call again'
complete -c callvault -n __callvault_at_top -a may-record -d 'tell whether calls of a number may be recorded'
complete -c callvault -n __callvault_at_top -a restrict -d 'keep a recording from being opened or purged'
complete -c callvault -n __callvault_at_top -a unrestrict -d 'end a restriction'
complete -c callvault -n __callvault_at_top -a opt-out -d 'numbers that are not to be recorded'
complete -c callvault -n __callvault_at_top -a request -d 'what people ask for, and by when they are answered'
complete -c callvault -n __callvault_at_top -a person -d 'people and what they may do'
complete -c callvault -n __callvault_at_top -a journal -d 'what was done, by whom and when'

complete -c callvault -n '__callvault_in_group opt-out add remove' -a add -d 'note that a number is not to be recorded'
complete -c callvault -n '__callvault_in_group opt-out add remove' -a remove -d 'let a number be recorded again'

complete -c callvault -n '__callvault_in_group request open assign decide extend close show list' -a open -d 'register a person\'s request'
complete -c callvault -n '__callvault_in_group request open assign decide extend close show list' -a assign -d 'say who answers a request'
complete -c callvault -n '__callvault_in_group request open assign decide extend close show list' -a decide -d 'note the answer to a request'
complete -c callvault -n '__callvault_in_group request open assign decide extend close show list' -a extend -d 'take more time for a request'
complete -c callvault -n '__callvault_in_group request open assign decide extend close show list' -a close -d 'close a request'
complete -c callvault -n '__callvault_in_group request open assign decide extend close show list' -a show -d 'tell everything about one request'
complete -c callvault -n '__callvault_in_group request open assign decide extend close show list' -a list -d 'list the requests'

complete -c callvault -n '__callvault_in_group person add list show passwd disable' -a add -d 'add a person'
complete -c callvault -n '__callvault_in_group person add list show passwd disable' -a list -d 'list the people'
complete -c callvault -n '__callvault_in_group person add list show passwd disable' -a show -d 'tell one person\'s roles'
complete -c callvault -n '__callvault_in_group person add list show passwd disable' -a passwd -d 'change a passphrase'
complete -c callvault -n '__callvault_in_group person add list show passwd disable' -a disable -d 'take a person\'s access away'

complete -c callvault -n '__callvault_in_group journal log verify checkpoint prove' -a log -d 'list the journal'
complete -c callvault -n '__callvault_in_group journal log verify checkpoint prove' -a verify -d 'verify the journal, offline'
complete -c callvault -n '__callvault_in_group journal log verify checkpoint prove' -a checkpoint -d 'print the signed head of the journal, to be kept'
complete -c callvault -n '__callvault_in_group journal log verify checkpoint prove' -a prove -d 'print a proof for somebody outside'

complete -c callvault -n '__fish_seen_subcommand_from init' -l organisation -x -d 'who answers for the recordings'
complete -c callvault -n '__fish_seen_subcommand_from init' -l time-zone -x -d 'IANA name (default Europe/Bucharest)'
complete -c callvault -n '__fish_seen_subcommand_from init' -l country-code -x -d 'completes national numbers (default +40)'
complete -c callvault -n '__fish_seen_subcommand_from init' -l retention -x -d 'how long recordings are kept: 6mo, 30d, 1y (default 6mo)'
complete -c callvault -n '__fish_seen_subcommand_from init' -l unsafe-keeper -d 'accept a keeper\'s place that may not forget'
complete -c callvault -n '__fish_seen_subcommand_from init' -l user -x -d 'the first person (default officer)'
complete -c callvault -n '__fish_seen_subcommand_from init' -l recorder-group -x -a '(__fish_complete_groups)' -d 'Unix group whose accounts may record (default none)'
complete -c callvault -n '__fish_seen_subcommand_from init' -F

complete -c callvault -n '__fish_seen_subcommand_from ingest' -l direction -x -a 'in out' -d 'who called whom (required)'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l caller -x -d 'the caller\'s number'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l called -x -d 'the called number'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l agent -x -d 'who spoke for the organisation'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l consent -x -a 'implied granted pending refused unknown' -d 'implied, granted, pending, refused or unknown (default unknown: stored, not opened)'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l notice -x -d 'version of the privacy notice'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l notice-played -x -a 'yes no' -d 'whether the notice played to its end'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l basis -x -a 'consent contract legal_obligation legitimate_interest' -d 'consent, contract, legal_obligation or legitimate_interest (default consent)'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l started-at -x -d 'when the call started (default now)'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l call-id -x -d 'the telephone system\'s id of the call'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l class -x -d 'retention class (default default)'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l meta-file -r -F -d 'the same from a JSON file; options win over it'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l format -x -a 'auto wav s16le ulaw alaw' -d 'auto, wav, s16le, ulaw or alaw (default auto)'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l rate -x -d 'sample rate of a headerless format (default 8000)'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l channels -x -a 'mixed caller agent caller,agent agent,caller' -d 'mixed, caller, agent, caller,agent or agent,caller'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l bitrate -x -d 'kbit/s of a track, 6 to 128'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -l complexity -x -a '0 1 2 3 4 5 6 7 8 9 10' -d 'the encoder\'s effort (default 10)'
complete -c callvault -n '__fish_seen_subcommand_from ingest' -F

complete -c callvault -n '__fish_seen_subcommand_from find' -l caller -x -d 'the caller\'s number'
complete -c callvault -n '__fish_seen_subcommand_from find' -l called -x -d 'the called number'
complete -c callvault -n '__fish_seen_subcommand_from find' -l agent -x -d 'who spoke for the organisation'
complete -c callvault -n '__fish_seen_subcommand_from find' -l from -x -d 'started at T or later'
complete -c callvault -n '__fish_seen_subcommand_from find' -l to -x -d 'started before T'
complete -c callvault -n '__fish_seen_subcommand_from find' -l consent -x -a 'unknown implied granted pending refused withdrawn' -d 'the caller\'s: unknown, implied, granted, pending, refused or withdrawn'
complete -c callvault -n '__fish_seen_subcommand_from find' -l call-id -x -d 'the telephone system\'s id of the call'
complete -c callvault -n '__fish_seen_subcommand_from find' -l direction -x -a 'in out' -d 'in or out'
complete -c callvault -n '__fish_seen_subcommand_from find' -l state -x -a 'live held restricted interrupted gone' -d 'live, held, restricted, interrupted or gone'
complete -c callvault -n '__fish_seen_subcommand_from find' -l limit -x -d 'at most N recordings'

complete -c callvault -n '__fish_seen_subcommand_from play' -l track -x -a 'caller agent both' -d 'caller, agent or both (default both)'
complete -c callvault -n '__fish_seen_subcommand_from play' -l from -x -d 'start here'
complete -c callvault -n '__fish_seen_subcommand_from play' -l to -x -d 'stop here'
complete -c callvault -n '__fish_seen_subcommand_from play' -s o -l output -r -F -d 'write a copy to FILE, or listen through standard output'
complete -c callvault -n '__fish_seen_subcommand_from play' -l force -d 'replace FILE if it exists'
complete -c callvault -n '__fish_seen_subcommand_from play' -l format -x -a 'wav opus' -d 'wav or opus (default wav)'
complete -c callvault -n '__fish_seen_subcommand_from play' -l purpose -x -a 'service_quality customer_needs evaluation complaint legal_claims proof_of_interaction' -d 'service_quality, customer_needs, evaluation, complaint, legal_claims or proof_of_interaction (required)'
complete -c callvault -n '__fish_seen_subcommand_from play' -l reason -x -d 'why, in words; sealed in the journal'

complete -c callvault -n '__fish_seen_subcommand_from consent' -l party -x -a 'caller agent' -d 'caller or agent'
complete -c callvault -n '__fish_seen_subcommand_from consent' -l set -x -a 'granted refused withdrawn' -d 'granted, refused or withdrawn'
complete -c callvault -n '__fish_seen_subcommand_from consent' -l evidence -x -d 'how it was given; sealed in the journal'

complete -c callvault -n '__fish_seen_subcommand_from hold' -l matter -x -d 'the case it is held for'
complete -c callvault -n '__fish_seen_subcommand_from hold' -l until -x -d 'the hold ends by itself then'

complete -c callvault -n '__fish_seen_subcommand_from unhold' -l matter -x -d 'the case it was held for'

complete -c callvault -n '__fish_seen_subcommand_from erase' -l caller -x -d 'every recording of this number'
complete -c callvault -n '__fish_seen_subcommand_from erase' -l request -x -d 'reference of the request'
complete -c callvault -n '__fish_seen_subcommand_from erase' -l reason -x -d 'why; sealed in the journal'
complete -c callvault -n '__fish_seen_subcommand_from erase' -l dry-run -d 'tell what would be done, do nothing'

complete -c callvault -n '__fish_seen_subcommand_from purge' -l dry-run -d 'print the plan with a reason for each, do nothing'
complete -c callvault -n '__fish_seen_subcommand_from purge' -l confirm -x -d 'go on although the clock looks wrong: N is the plan\'s count'
complete -c callvault -n '__fish_seen_subcommand_from purge' -l metrics-file -r -F -d 'write figures for Prometheus'

complete -c callvault -n '__fish_seen_subcommand_from inspect' -F

complete -c callvault -n '__fish_seen_subcommand_from check' -l deep -d 'authenticate every sealed byte'

complete -c callvault -n '__fish_seen_subcommand_from opt-out; and __fish_seen_subcommand_from add' -l request -x -d 'reference of the request; sealed with it'
complete -c callvault -n '__fish_seen_subcommand_from restrict' -l reason -x -d 'why; sealed in the journal'
complete -c callvault -n '__fish_seen_subcommand_from unrestrict' -l reason -x -d 'why; sealed in the journal'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from open' -l kind -x -a 'inform access copy rectify object restrict erase portability withdraw' -d 'inform, access, copy, rectify, object, restrict, erase, portability or withdraw (required)'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from open' -l channel -x -a 'post email fax visit phone web' -d 'post, email, fax, visit, phone or web (required)'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from open' -l received -x -d 'when it came in; the deadline counts from it (default now)'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from open' -l name -x -d 'who asks'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from open' -l number -x -d 'the telephone number it is about'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from open' -l identity -x -d 'how their identity was checked'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from open' -l document-hash -x -d 'SHA-256 of the letter or mail'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from open' -l note -x -d 'anything else'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from assign' -l to -x -d 'a person of this vault (required)'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from decide' -l decision -x -a 'granted partly refused' -d 'granted, partly or refused (required)'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from decide' -l reason -x -d 'why; needed unless it is granted'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from extend' -l reason -x -d 'why it needs longer; the person is told (required)'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from close' -l note -x -d 'how it ended'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from list' -l state -x -a 'open decided closed' -d 'open, decided or closed'
complete -c callvault -n '__fish_seen_subcommand_from request; and __fish_seen_subcommand_from list' -l overdue -d 'only those past their deadline'

complete -c callvault -n '__fish_seen_subcommand_from prove-gone' -s o -l output -r -F -d 'write the signed certificate to FILE'
complete -c callvault -n '__fish_seen_subcommand_from prove-gone' -l force -d 'replace FILE if it exists'
complete -c callvault -n '__fish_seen_subcommand_from prove-gone' -l certificate -r -F -d 'verify this certificate; needs --key and no vault'
complete -c callvault -n '__fish_seen_subcommand_from prove-gone' -l key -r -F -d 'the journal\'s public key, got from somebody who can be trusted'
complete -c callvault -n '__fish_seen_subcommand_from journal; and __fish_seen_subcommand_from verify' -l against -r -F -d 'a checkpoint that was kept: the journal must begin with it'
complete -c callvault -n '__fish_seen_subcommand_from journal; and __fish_seen_subcommand_from verify' -l key -r -F -d 'the journal\'s public key, got from somebody who can be trusted'
complete -c callvault -n '__fish_seen_subcommand_from journal; and __fish_seen_subcommand_from verify' -l journal -x -a '(__fish_complete_directories)' -d 'verify this copy of a journal; needs --key and no vault'
complete -c callvault -n '__fish_seen_subcommand_from journal; and __fish_seen_subcommand_from verify' -l proof -r -F -d 'verify what \'journal prove\' printed; needs --key and no vault'
complete -c callvault -n '__fish_seen_subcommand_from journal; and __fish_seen_subcommand_from prove' -l index -x -d 'prove that this entry stands in the journal'
complete -c callvault -n '__fish_seen_subcommand_from journal; and __fish_seen_subcommand_from prove' -l since -r -F -d 'prove that the journal only grew since the checkpoint in FILE'

complete -c callvault -n '__fish_seen_subcommand_from person; and __fish_seen_subcommand_from add' -l role -x -a 'officer reviewer evaluator auditor operator' -d 'officer, reviewer, evaluator, auditor, operator'
complete -c callvault -n '__fish_seen_subcommand_from person; and __fish_seen_subcommand_from add' -l new-passphrase-file -r -F -d 'read the new person\'s passphrase from FILE'
complete -c callvault -n '__fish_seen_subcommand_from person; and __fish_seen_subcommand_from add' -l new-passphrase-command -x -d 'read it from a command'

complete -c callvault -n '__fish_seen_subcommand_from person; and __fish_seen_subcommand_from passwd' -l new-passphrase-file -r -F -d 'read the new passphrase from FILE'
complete -c callvault -n '__fish_seen_subcommand_from person; and __fish_seen_subcommand_from passwd' -l new-passphrase-command -x -d 'read it from a command'
