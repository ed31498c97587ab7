# smoke.ps1 TAG: installs a published release as people do, and sees that it starts and says that it is TAG.
param([Parameter(Mandatory = $true)][string]$Tag)
$ErrorActionPreference = 'Stop'
$prefix = Join-Path ([IO.Path]::GetTempPath()) ([IO.Path]::GetRandomFileName())
try {
    & (Join-Path $PSScriptRoot '..\install.ps1') -Version $Tag -Prefix $prefix
    if ($LASTEXITCODE) { throw "install.ps1 ended with $LASTEXITCODE" }
    $said = & (Join-Path $prefix 'bin\kubectl-tracebloc.exe') version --client
    if ($LASTEXITCODE) { throw "the plugin ended with $LASTEXITCODE" }
    $said
    if (-not (($said -join "`n").Contains($Tag))) { throw "the plugin does not say that it is $Tag" }
} finally {
    if (Test-Path $prefix) { Remove-Item -Recurse -Force $prefix }
}
