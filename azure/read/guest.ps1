# azssh-doctor --guest sends this script through Run Command to Windows VMs. It runs as SYSTEM and
# only reads. In front of it are the values that it looks for: $user, $source, $address, $port, $since
# and $keys ("type base64", one a line). It prints one fact a line, what matters most last.
# Written from Microsoft's documentation; it has not been run against a real VM.
$ErrorActionPreference = 'SilentlyContinue'
$out = New-Object System.Collections.Generic.List[string]
function Say([string]$line) {
    $line = $line -replace '[^\x20-\x7e]', '?'
    $out.Add($line.Substring(0, [Math]::Min(230, $line.Length)))
}
$folder = Join-Path $env:ProgramData 'ssh'
$os = Get-CimInstance Win32_OperatingSystem
Say "os windows $($os.Version)"
Say "clock $([DateTimeOffset]::UtcNow.ToUnixTimeSeconds())"
foreach ($each in Get-NetIPAddress | Where-Object { $_.InterfaceAlias -notmatch 'Loopback' }) {
    Say "address eth $($each.IPAddress)/$($each.PrefixLength)"
}
Say "memory $($os.FreePhysicalMemory) $($os.TotalVisibleMemorySize) 0"
foreach ($each in Get-NetFirewallRule -Name '*OpenSSH*', '*sshd*') {
    Say "windows-firewall $($each.Name) enabled=$($each.Enabled) action=$($each.Action) profile=$($each.Profile)"
}
foreach ($each in Get-NetConnectionProfile) {
    Say "windows-network $($each.InterfaceAlias) $($each.NetworkCategory)"
}
foreach ($each in Get-ChildItem (Join-Path $folder 'ssh_host_*_key.pub')) {
    Say "hostkey $(ssh-keygen -lf $each.FullName)"
}
$service = Get-Service sshd
if ($service) {
    Say "unit sshd $($service.Status) $($service.StartType)"
    $program = (Get-CimInstance Win32_Service -Filter "Name='sshd'").PathName.Trim('"')
    Say "sshd $program $((Get-Item $program).VersionInfo.ProductVersion)"
    $tested = & $program -t 2>&1
    if ($LASTEXITCODE -eq 0) { Say 'test passed' } else { $tested | Select-Object -First 3 | ForEach-Object { Say "test $_" } }
} else {
    Say 'sshd none'
}
foreach ($each in Get-NetTCPConnection -State Listen -LocalPort $port) {
    Say "listen $($each.LocalAddress):$port $((Get-Process -Id $each.OwningProcess).ProcessName)"
}
$shell = (Get-ItemProperty 'HKLM:\SOFTWARE\OpenSSH').DefaultShell
if ($shell) { Say "shell $(if (Test-Path $shell) { 'runs' } else { 'missing' }) $shell" }
foreach ($each in Select-String -Path (Join-Path $folder 'sshd_config') -Pattern '^\s*(Port|ListenAddress|AllowUsers|DenyUsers|AllowGroups|DenyGroups|PubkeyAuthentication|AuthorizedKeysFile|Subsystem|Match)\b') {
    Say "set $($each.Line.Trim().ToLower())"
}
$account = Get-LocalUser -Name $user
$admin = [bool](Get-LocalGroupMember -SID 'S-1-5-32-544' | Where-Object { $_.Name -like "*\$user" })
if ($account) { Say "windows-account enabled=$($account.Enabled) administrator=$admin expires=$($account.AccountExpires)" }
$number = 0
foreach ($file in (Join-Path $folder 'administrators_authorized_keys'), "C:\Users\$user\.ssh\authorized_keys") {
    $number++
    if (-not (Test-Path $file)) { Say "windows-file $number none $file"; continue }
    $bytes = Get-Content $file -Encoding Byte -TotalCount 3
    Say "windows-file $number $(($bytes | ForEach-Object { $_.ToString('x2') }) -join '') $file"
    foreach ($each in (Get-Acl $file).Access) {
        $sid = $each.IdentityReference.Translate([Security.Principal.SecurityIdentifier]).Value
        Say "windows-acl $number $sid $($each.IdentityReference) $($each.FileSystemRights) inherited=$($each.IsInherited)"
    }
    $text = (Get-Content $file -Raw) -replace "`0", ''
    $nth = 0
    foreach ($key in $keys -split "`n") {
        $nth++
        $blob = ($key -split ' ')[1]
        if ($blob -and $text.Contains($blob)) { Say "windows-key $number $nth" }
    }
}
foreach ($each in Get-WinEvent -FilterHashtable @{ LogName = 'OpenSSH/Operational'; StartTime = (Get-Date).AddSeconds(-2 - $since) }) {
    if ($source -and $each.Message.Contains($source)) { Say "log $($each.Message -replace '^sshd: ', '')" }
}
'azssh-doctor begin'
$room = 2900
$last = @()
for ($i = $out.Count - 1; $i -ge 0 -and $room -gt $out[$i].Length; $i--) {
    $room -= $out[$i].Length + 1
    $last = @($out[$i]) + $last
}
$last
'azssh-doctor end'
