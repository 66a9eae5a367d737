"""What a shell needs to complete our command line: a script for each, and the words they share.

Every script hands over the words before the one being completed, behind `--`, and that word itself
behind `=` in the variable _ASYNCFLOW_COMPLETE (Windows PowerShell drops empty arguments). It reads
lines of a value, a tab and a description; where there is none, the shell offers files.
"""

from __future__ import annotations

from asyncflow_cli.protocol.reports import Report

BASH = r"""# asyncflow completion bash >> ~/.bashrc
_asyncflow_complete() {
    local value current="${COMP_WORDS[COMP_CWORD]}" quote=
    case $current in [\"\']*) quote=${current:0:1} current=${current:1} ;; esac
    [ "$current" = "=" ] && current=
    COMPREPLY=()
    while IFS=$'\t' read -r value _; do
        [ -n "$quote" ] || value=$(printf %q "$value")
        COMPREPLY+=("$value")
    done < <(_ASYNCFLOW_COMPLETE="=$current" "${COMP_WORDS[0]}" -- \
        "${COMP_WORDS[@]:1:COMP_CWORD-1}" 2>/dev/null)
}
complete -o default -F _asyncflow_complete asyncflow
"""

ZSH = r"""#compdef asyncflow
# asyncflow completion zsh > ~/.zfunc/_asyncflow, and `fpath+=~/.zfunc` before compinit
_asyncflow() {
    local value help current="${(Q)words[CURRENT]}"
    local -a described before
    (( CURRENT > 2 )) && before=("${(@Q)words[2,CURRENT-1]}")
    while IFS=$'\t' read -r value help; do
        described+=("${value//:/\\:}:$help")
    done < <(_ASYNCFLOW_COMPLETE="=$current" "${words[1]}" -- "${before[@]}" 2>/dev/null)
    if (( $#described )); then
        _describe asyncflow described
    else
        _files
    fi
}
if [ "${funcstack[1]}" = _asyncflow ]; then
    _asyncflow "$@"
else
    compdef _asyncflow asyncflow
fi
"""

FISH = r"""# asyncflow completion fish > ~/.config/fish/completions/asyncflow.fish
function _asyncflow_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l program $before[1]
    set -e before[1]
    set -l found (_ASYNCFLOW_COMPLETE="=$current" $program -- $before 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete -c asyncflow -f -a '(_asyncflow_complete)'
"""

POWERSHELL = r"""# asyncflow completion powershell >> $PROFILE
Register-ArgumentCompleter -Native -CommandName asyncflow -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { "$_".Trim("'", '"') })
    $before = @($words | Select-Object -Skip 1)
    $env:_ASYNCFLOW_COMPLETE = "=" + $wordToComplete.Trim("'", '"')
    try {
        & $words[0] -- @before 2>$null | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            $text = $value
            if ($value -match "\s") { $text = "'" + $value.Replace("'", "''") + "'" }
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new(
                $text, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:\_ASYNCFLOW_COMPLETE
    }
}
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH, "powershell": POWERSHELL}


class CompletionReport(Report, frozen=True, kw_only=True, tag="asyncflow.completion"):
    shell: str
    script: str

    @property
    def headline(self) -> str:
        return self.script.rstrip()
