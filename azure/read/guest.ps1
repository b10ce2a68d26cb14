Write-Output 'azssh-doctor begin'
Get-ChildItem "$env:ProgramData\ssh\ssh_host_*_key.pub" | ForEach-Object { 'hostkey ' + (ssh-keygen -lf $_.FullName) }
Write-Output 'azssh-doctor end'
