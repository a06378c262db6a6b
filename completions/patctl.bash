# bash completion for patctl. It asks patctl itself what could stand at the cursor, so it is never
# out of date, and it knows the ids and users that are in the database.
_patctl() {
    local words=() word glue= line value i
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
    COMPREPLY=()
    while IFS= read -r line; do
        value=${line%%$'\t'*}
        if [[ $value == ':files' ]]; then
            compopt -o default 2>/dev/null
            continue
        fi
        # What stands before '=' is not replaced.
        [[ ${words[-1]} == *=* ]] && value=${value#*=}
        [[ $value == *= ]] && compopt -o nospace 2>/dev/null
        COMPREPLY+=("$(printf %q "$value")")
    done < <("${COMP_WORDS[0]}" __complete -- "${words[@]}" 2>/dev/null)
}
complete -F _patctl patctl
