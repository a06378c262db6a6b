# fish completion for patctl. It asks patctl itself what could stand at the cursor, so it is never
# out of date, and it knows the ids and users that are in the database.
function __patctl_complete
    set -l before (commandline -opc)
    set -l program $before[1]
    set -e before[1]
    set -l current (commandline -ct)
    for line in ($program __complete -- $before "$current" 2>/dev/null)
        if string match -q ':files*' -- $line
            __fish_complete_path "$current"
        else
            echo $line
        end
    end
end
complete -c patctl -f -a '(__patctl_complete)'
