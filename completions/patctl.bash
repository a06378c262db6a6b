# bash completion for patctl. It asks patctl itself what could stand at the cursor, so it is never
# out of date, and it knows the ids and users that are in the database.
_patctl() {
    local words=() word glue= line value i current before program=${COMP_WORDS[0]}
    # The word is as it was typed; the shell has not put the home directory in yet.
    case $program in
        '~/'*) program=$HOME/${program#'~/'} ;;
        '$HOME/'*) program=$HOME/${program#'$HOME/'} ;;
        '${HOME}/'*) program=$HOME/${program#'${HOME}/'} ;;
    esac
    # bash splits at '=': put '--user=al' together again.
    for ((i = 1; i <= COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ $word == '=' && ${#words[@]} -gt 0 ]]; then
            words[-1]+='='
            glue=1
        elif [[ -n $glue ]]; then
            words[-1]+=$word
            glue=
        else
            words+=("$word")
        fi
    done
    # What stands before '=' is replaced, too, only where bash does not split there.
    before=
    [[ ${COMP_WORDS[COMP_CWORD]} == -*=* ]] && before=${words[-1]%%=*}=
    current=${words[-1]}
    [[ $current == -*=* ]] && current=${current#*=}
    COMPREPLY=()
    while IFS= read -r line; do
        value=${line%%$'\t'*}
        if [[ $value == ':files' ]]; then
            compopt -o filenames 2>/dev/null
            current=${current#[\"\']}
            case $current in
                '$HOME/'*) current=$HOME/${current#'$HOME/'} ;;
                '${HOME}/'*) current=$HOME/${current#'${HOME}/'} ;;
            esac
            while IFS= read -r value; do
                COMPREPLY+=("$before$value")
            done < <(compgen -f -- "$current")
            continue
        fi
        [[ ${words[-1]} == *=* && -z $before ]] && value=${value#*=}
        [[ $value == *= ]] && compopt -o nospace 2>/dev/null
        COMPREPLY+=("$(printf %q "$value")")
    done < <("$program" __complete -- "${words[@]}" 2>/dev/null)
}
complete -F _patctl patctl
