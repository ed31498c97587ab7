<#
.SYNOPSIS
Installs the kubectl plugin tracebloc, and its completion, from a release.

.DESCRIPTION
For Windows without krew; install.sh is for Linux and macOS. Windows PowerShell 5.1 and PowerShell 7 run it.

    powershell -ExecutionPolicy Bypass -File install.ps1
    & ([scriptblock]::Create((Invoke-RestMethod https://raw.githubusercontent.com/tracebloc/kubectl-tracebloc/main/hack/install.ps1))) -DryRun

The archive must have the SHA256 that the release's SHA256SUMS names, and where cosign is on the PATH, SHA256SUMS must be signed by the
release workflow. Proxies are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY, or else from the settings of the system.

Exit codes: 0 installed; 1 the download or its verification failed; 2 the parameters are wrong; 3 this machine lacks something: a platform
that releases have, a directory that can be written. After a failure an earlier installation is as it was.

.PARAMETER Version
The release to install, as v1.2.3 or 1.2.3; the newest by default.

.PARAMETER Prefix
Install into its directory bin, which is made if need be; by default Programs\kubectl-tracebloc in the user's local application data.

.PARAMETER BaseUrl
A mirror of https://github.com/tracebloc/kubectl-tracebloc/releases, which has download/vX.Y.Z/FILE below it; the environment variable
TRACEBLOC_BASE_URL says the same.

.PARAMETER SkipSignature
Do not verify the signature, although cosign is there; sums are always verified.

.PARAMETER AddToPath
Put the directory onto the PATH of the user.

.PARAMETER DryRun
Print what would be done; nothing but the newest version is looked up.
#>
[CmdletBinding()]
param(
    [ValidateNotNullOrEmpty()][string]$Version,
    [ValidateNotNullOrEmpty()][string]$Prefix,
    [ValidateNotNullOrEmpty()][string]$BaseUrl,
    [switch]$SkipSignature,
    [switch]$AddToPath,
    [switch]$DryRun
)

# Stop-Install ends everything; its code is for Invoke-Install.
function Stop-Install([int]$Code, [string]$Text) {
    $failure = New-Object System.InvalidOperationException($Text)
    $failure.Data['ExitCode'] = $Code
    throw $failure
}

# Format-Text takes out what a terminal would obey, and the credentials of a URL.
function Format-Text([string]$Text) {
    return (($Text -replace '[\x00-\x1f\x7f-\x9f]', '') -replace '://[^/@ ]*@', '://')
}

function Write-Note([string]$Text) {
    [Console]::Error.WriteLine((Format-Text $Text))
}

function Test-Version([string]$Text) {
    return ($Text -cmatch '\Av[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?\z')
}

# Get-Machine asks the registry: a PowerShell that is emulated is told another architecture.
function Get-Machine {
    if ($env:OS -ne 'Windows_NT') { Stop-Install 3 'this is not Windows; use install.sh' }
    $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
    $name = (Get-ItemProperty -LiteralPath $key).PROCESSOR_ARCHITECTURE
    if ($name -eq 'AMD64') { return 'amd64' }
    if ($name -eq 'ARM64') { return 'arm64' }
    Stop-Install 3 ("releases have nothing for Windows on `"$name`", and krew takes the plugin from the same releases; " +
        'build it from source: go build ./cmd/kubectl-tracebloc in a clone of https://github.com/tracebloc/kubectl-tracebloc')
}

# Get-Base returns the base URL without a slash at its end.
function Get-Base([string]$Wanted) {
    $base = 'https://github.com/tracebloc/kubectl-tracebloc/releases'
    if ($env:TRACEBLOC_BASE_URL) { $base = $env:TRACEBLOC_BASE_URL }
    if ($Wanted) { $base = $Wanted }
    $base = $base.TrimEnd('/')
    if ($base -cnotmatch '\Ahttps?://[\[\]0-9A-Za-z._~:/@%+=,-]+\z') {
        Stop-Install 2 "base URL `"$base`" must begin with https://, or http:// for a mirror that you trust, and have only what a URL may have"
    }
    $place = New-Object System.Uri($base)
    if ($place.Scheme -ne 'https' -and -not $place.IsLoopback) {
        Write-Note "warning: `"$base`" is not https: whoever is on the way can exchange both the archive and its sum"
    }
    return $base
}

# Get-Proxy returns the proxy of the environment for a place, or nothing. Windows PowerShell 5.1 does not look there.
function Get-Proxy([Uri]$Place) {
    $address = $env:HTTP_PROXY
    if ($Place.Scheme -eq 'https') { $address = $env:HTTPS_PROXY }
    if (-not $address) { return $null }
    foreach ($name in ([string]$env:NO_PROXY).Split(',')) {
        $suffix = $name.Trim().TrimStart('.')
        if ($suffix -and ($suffix -eq '*' -or $Place.Host -eq $suffix -or $Place.Host.EndsWith(".$suffix"))) { return $null }
    }
    if ($address -notmatch '://') { $address = "http://$address" }
    return (New-Object System.Net.WebProxy($address))
}

# Open-Url returns the answer to one request, redirects among them.
function Open-Url([string]$Method, [Uri]$Place) {
    $request = [System.Net.WebRequest]::Create($Place)
    $request.Method = $Method
    $request.AllowAutoRedirect = $false
    $request.UserAgent = 'kubectl-tracebloc-install'
    $proxy = Get-Proxy $Place
    if ($proxy) { $request.Proxy = $proxy }
    return $request.GetResponse()
}

# Save-File follows redirects itself, so that what began with https does not go on without.
function Save-File([string]$Url, [string]$File) {
    $place = New-Object System.Uri($Url)
    for ($hop = 0; $hop -lt 6; $hop++) {
        $response = Open-Url 'GET' $place
        try {
            $location = $response.Headers['Location']
            if (-not $location) {
                $out = [System.IO.File]::Create($File)
                try { $response.GetResponseStream().CopyTo($out) } finally { $out.Dispose() }
                return
            }
        } finally { $response.Close() }
        $next = New-Object System.Uri($place, $location)
        if ($next.Scheme -ne 'https' -and $place.Scheme -eq 'https') { throw 'it redirects to a place without https' }
        $place = $next
    }
    throw 'it redirects too often'
}

# Receive-File is Save-File with a message for a person.
function Receive-File([string]$Url, [string]$File, [string]$Hint) {
    try { Save-File $Url $File } catch {
        Stop-Install 1 "cannot download `"$Url`": $($_.Exception.Message); nothing was installed. $Hint"
    }
}

# Find-Version follows nothing: a release is where the newest one redirects to.
function Find-Version([string]$Base, [string]$Wanted) {
    if ($Wanted) {
        $tag = 'v' + ($Wanted -creplace '\Av', '')
        if (-not (Test-Version $tag)) {
            Stop-Install 2 "version `"$tag`" is not of the form v1.2.3; https://github.com/tracebloc/kubectl-tracebloc/releases lists what there is"
        }
        return $tag
    }
    try {
        $response = Open-Url 'HEAD' (New-Object System.Uri("$Base/latest"))
        $location = [string]$response.Headers['Location']
        $response.Close()
    } catch {
        Stop-Install 1 "cannot find the newest release: $($_.Exception.Message); name it with -Version vX.Y.Z"
    }
    $tag = $location -creplace '\A.*?/tag/', ''
    if (-not (Test-Version $tag)) {
        Stop-Install 1 "cannot find the newest release: `"$Base/latest`" redirects to `"$location`", which is no version; name one with -Version vX.Y.Z"
    }
    return $tag
}

# Invoke-Tool runs a program and returns its exit code and what it wrote. Windows PowerShell takes any line on stderr for an error.
function Invoke-Tool([string]$Program, [string[]]$Arguments) {
    $ErrorActionPreference = 'Continue'
    $text = & $Program @Arguments 2>&1 | Out-String
    return @{ Code = $LASTEXITCODE; Text = $text }
}

function Test-Signature([string]$Cosign, [string]$Place, [string]$Tag, [string]$Dir) {
    $hint = 'A mirror needs SHA256SUMS.sigstore.json as well; -SkipSignature does without'
    Receive-File "$Place/SHA256SUMS.sigstore.json" "$Dir\SHA256SUMS.sigstore.json" $hint
    $question = @('--bundle', "$Dir\SHA256SUMS.sigstore.json",
        '--certificate-oidc-issuer', 'https://token.actions.githubusercontent.com', '--certificate-identity',
        "https://github.com/tracebloc/kubectl-tracebloc/.github/workflows/release.yaml@refs/tags/$Tag", "$Dir\SHA256SUMS")
    $answer = Invoke-Tool $Cosign (@('verify-blob') + $question)
    # cosign 2.4 reads the bundle only with a flag, which newer ones do not need and may drop.
    if ($answer.Code -ne 0) { $answer = Invoke-Tool $Cosign (@('verify-blob', '--new-bundle-format') + $question) }
    if ($answer.Code -ne 0) {
        Write-Note $answer.Text
        Stop-Install 1 ("cosign refuses the signature of SHA256SUMS of $Tag; nothing was installed. " +
            'It needs cosign 2.4 or newer that can reach sigstore; if it is, do not trust this download')
    }
    Write-Note "cosign: SHA256SUMS of $Tag is signed by the release workflow"
}

function Test-Sum([string]$Dir, [string]$Archive, [string]$Tag) {
    $want = ''
    foreach ($line in [System.IO.File]::ReadAllLines("$Dir\SHA256SUMS")) {
        if ($line -cmatch '\A([0-9a-f]{64}) [ *](.+)\z' -and $Matches[2] -ceq $Archive) { $want += $Matches[1] }
    }
    if ($want.Length -ne 64) { Stop-Install 1 "SHA256SUMS of $Tag has no sum for $Archive; nothing was installed" }
    $got = (Get-FileHash -Algorithm SHA256 -LiteralPath "$Dir\$Archive").Hash.ToLowerInvariant()
    if ($got -cne $want) {
        Stop-Install 1 ("$Archive has the SHA256 `"$got`", but SHA256SUMS of $Tag says `"$want`"; nothing was installed. " +
            'The download was cut or exchanged on the way: try again, and do not use it if this stays')
    }
}

# Move-IntoPlace puts a new file in the place of an old one, which may be running: Windows renames such a file, and does not overwrite it.
function Move-IntoPlace([string]$New, [string]$Target) {
    $old = "$Target." + [Guid]::NewGuid().ToString('N') + '.old'
    if ([System.IO.File]::Exists($Target)) { [System.IO.File]::Move($Target, $old) }
    try { [System.IO.File]::Move($New, $Target) } catch {
        if ([System.IO.File]::Exists($old)) { [System.IO.File]::Move($old, $Target) }
        throw
    }
    # One that runs still stays until the next installation.
    Remove-Item -Path ([System.Management.Automation.WildcardPattern]::Escape($Target) + '.*.old') -Force -ErrorAction SilentlyContinue
}

function Install-File([string]$From, [string]$Bin, [string]$Tag) {
    $stage = Join-Path $Bin ('.kubectl-tracebloc.' + [Guid]::NewGuid().ToString('N'))
    $names = @('kubectl-tracebloc.exe', 'kubectl_complete-tracebloc.cmd')
    try {
        [void][System.IO.Directory]::CreateDirectory($stage)
        foreach ($name in $names) { [System.IO.File]::Copy("$From\$name", "$stage\$name") }
        $answer = Invoke-Tool "$stage\kubectl-tracebloc.exe" @('version', '--client')
        if ($answer.Code -ne 0) {
            Write-Note $answer.Text
            Stop-Install 3 "kubectl-tracebloc $Tag does not run on this machine from `"$Bin`", and nothing there was changed"
        }
        foreach ($name in $names) { Move-IntoPlace "$stage\$name" "$Bin\$name" }
    } catch {
        if ($_.Exception.Data.Contains('ExitCode')) { throw }
        Stop-Install 3 "cannot write into `"$Bin`": $($_.Exception.Message); use another -Prefix"
    } finally {
        Remove-Item -LiteralPath $stage -Recurse -Force -ErrorAction SilentlyContinue
    }
}

# Add-ToPath writes the user's PATH without empty entries, which would mean the current directory. Entries with %NAME% stay as they are.
function Add-ToPath([string]$Bin) {
    $key = Get-Item -LiteralPath 'HKCU:\Environment'
    $raw = [string]$key.GetValue('Path', '', [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames)
    $entries = @($raw.Split(';') | Where-Object { $_ -ne '' -and $_.TrimEnd('\') -ne $Bin })
    $joined = (@($Bin) + $entries) -join ';'
    if ($joined.Contains('%')) {
        Set-ItemProperty -LiteralPath 'HKCU:\Environment' -Name 'Path' -Value $joined -Type ExpandString
        # Setting a variable tells the desktop to read them all again.
        [Environment]::SetEnvironmentVariable('TRACEBLOC_PATH_CHANGED', $null, 'User')
    } else {
        [Environment]::SetEnvironmentVariable('Path', $joined, 'User')
    }
    $env:Path = (@($Bin) + @(([string]$env:Path).Split(';') | Where-Object { $_ -ne '' })) -join ';'
    Write-Note "put `"$Bin`" onto your PATH; new terminals have it"
}

function Write-Report([string]$Bin, [string]$Tag, [bool]$Add) {
    Write-Output "installed kubectl-tracebloc $Tag as `"$Bin\kubectl-tracebloc.exe`""
    $entries = @(([string]$env:Path).Split(';') | ForEach-Object { $_.TrimEnd('\') })
    if ($Bin.Contains(';')) {
        Write-Note "warning: `"$Bin`" cannot be on a PATH, because of its semicolon; use another -Prefix"
    } elseif ($entries -notcontains $Bin) {
        if ($Add) { Add-ToPath $Bin } else { Write-Note "`"$Bin`" is not on your PATH, where kubectl looks for plugins; -AddToPath puts it there" }
    }
    $found = @(Get-Command 'kubectl-tracebloc' -CommandType Application -ErrorAction SilentlyContinue)
    if ($found.Count -gt 0 -and $found[0].Path -ne "$Bin\kubectl-tracebloc.exe") {
        Write-Note "warning: kubectl finds `"$($found[0].Path)`" first, another copy; remove it, or put `"$Bin`" before it on the PATH"
    }
    if (-not (Get-Command 'kubectl' -CommandType Application -ErrorAction SilentlyContinue)) {
        Write-Note 'warning: kubectl is not on the PATH; https://kubernetes.io/docs/tasks/tools/ says how to install it'
    }
    Write-Note 'Now run: kubectl tracebloc --help'
}

function Get-Bin([string]$Wanted) {
    if (-not $Wanted) {
        if (-not $env:LOCALAPPDATA) { Stop-Install 3 'LOCALAPPDATA is not set; say where to with -Prefix' }
        $Wanted = Join-Path $env:LOCALAPPDATA 'Programs\kubectl-tracebloc'
    }
    $bin = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath((Join-Path $Wanted 'bin'))
    foreach ($dir in @($bin, (Split-Path -Parent $bin))) {
        if ([System.IO.File]::Exists($dir)) { Stop-Install 3 "cannot install into `"$bin`": `"$dir`" is not a directory; use another -Prefix" }
    }
    return $bin
}

function Invoke-Install([string]$Wanted, [string]$Directory, [string]$Mirror, [bool]$NoSignature, [bool]$Add, [bool]$Dry) {
    Set-StrictMode -Version 2.0
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'
    [System.Net.ServicePointManager]::SecurityProtocol = [System.Net.ServicePointManager]::SecurityProtocol -bor [System.Net.SecurityProtocolType]::Tls12
    $base = Get-Base $Mirror
    $machine = Get-Machine
    $bin = Get-Bin $Directory
    $cosign = ''
    $program = Get-Command 'cosign' -CommandType Application -ErrorAction SilentlyContinue | Select-Object -First 1
    if ($program -and -not $NoSignature) { $cosign = $program.Path }
    $tag = Find-Version $base $Wanted
    $archive = "kubectl-tracebloc_${tag}_windows_$machine.zip"
    $place = "$base/download/$tag"
    if ($Dry) {
        foreach ($name in @('kubectl-tracebloc.exe', 'kubectl_complete-tracebloc.cmd')) { Write-Output "would install `"$bin\$name`"" }
        Write-Output (Format-Text "would download `"$place/$archive`"")
        Write-Output 'would verify its SHA256 with Get-FileHash'
        if ($cosign) { Write-Output 'would verify its signature with cosign' } else { Write-Output 'would not verify its signature' }
        return
    }
    $dir = Join-Path ([System.IO.Path]::GetTempPath()) ('kubectl-tracebloc.' + [Guid]::NewGuid().ToString('N'))
    try {
        [void][System.IO.Directory]::CreateDirectory($dir)
        Write-Note "downloading kubectl-tracebloc $tag for windows/$machine"
        $hint = 'See whether the release is there and has it; behind a proxy, set HTTPS_PROXY'
        Receive-File "$place/SHA256SUMS" "$dir\SHA256SUMS" $hint
        if ($cosign) { Test-Signature $cosign $place $tag $dir }
        elseif (-not $NoSignature) { Write-Note 'cosign is not on the PATH: the sum is verified, its signature is not' }
        Receive-File "$place/$archive" "$dir\$archive" $hint
        Test-Sum $dir $archive $tag
        Expand-Archive -LiteralPath "$dir\$archive" -DestinationPath "$dir\unpacked"
        Install-File "$dir\unpacked" $bin $tag
    } finally {
        Remove-Item -LiteralPath $dir -Recurse -Force -ErrorAction SilentlyContinue
    }
    Write-Report $bin $tag $Add
}

# A file ends with the code; text that was pasted or piped must not end the terminal that it runs in. Without its end this is no command.
& {
    try {
        Invoke-Install $Version $Prefix $BaseUrl $SkipSignature.IsPresent $AddToPath.IsPresent $DryRun.IsPresent
    } catch {
        if (-not $PSCommandPath) { throw }
        [Console]::Error.WriteLine('error: ' + (Format-Text $_.Exception.Message))
        $code = 1
        if ($_.Exception.Data.Contains('ExitCode')) { $code = $_.Exception.Data['ExitCode'] }
        exit $code
    }
}
