# fish completion for patctl. It asks patctl itself what could stand at the cursor, so it is never
# out of date, and it knows the ids and users that are in the database.
function __patctl_complete
    set -l before (commandline -opc)
    # The word is as it was typed; the shell has not put the home directory in yet.
    set -l program (string replace -r -- '^(~|\$HOME|\$\{HOME\})/' "$HOME/" $before[1])
    set -e before[1]
    set -l current (commandline -ct)
    for line in ($program __complete -- $before "$current" 2>/dev/null)
        if string match -q ':files*' -- $line
            set -l parts (string match -r -- '^(-[^=]*=)(.*)$' "$current")
            if set -q parts[3]
                for path in (__fish_complete_path "$parts[3]")
                    echo $parts[2]$path
                end
            else
                __fish_complete_path "$current"
            end
        else
            echo $line
        end
    end
end
complete -c patctl -f -a '(__patctl_complete)'
