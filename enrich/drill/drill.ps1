<#
.SYNOPSIS
  The drill of Waybill for a Windows host: packs a harmless file, sends it over TLS, and asks the service which evidence arrived.

.DESCRIPTION
  Announces the drill to the service (waybill enrich), packs with Compress-Archive, sends with System.Net.Security.SslStream
  from this PowerShell process, waits, and prints the points process, archive, connection, flow, join and alert. The endpoint
  feed of this host does the rest; nothing is pushed. Nobody's data is read: the file is random bytes.
  Needs Windows PowerShell 5.1 or PowerShell 7. Start it in a process of its own, so that its start is seen with its drill:
    powershell -NoProfile -File drill.ps1 -Service https://waybill.example:8095 -TokenFile token.txt -To collector.example:443
  Exit codes: 0 the alert came, 1 it did not or the drill could not run.

.PARAMETER Service
  Address of waybill enrich.
.PARAMETER TokenFile
  File with a token that has the scope drill.
.PARAMETER To
  HOST:PORT of anything that speaks TLS, outside this host: there is no receiver of its own.
.PARAMETER SizeKiB
  Size of the file that is packed.
.PARAMETER WaitSeconds
  How long to wait for what is missing.
#>
[CmdletBinding()]
param(
  [Parameter(Mandatory = $true)] [string] $Service,
  [Parameter(Mandatory = $true)] [string] $To,
  [string] $TokenFile,
  [ValidateRange(64, 8192)] [int] $SizeKiB = 1024,
  [ValidateRange(0, 3600)] [int] $WaitSeconds = 120
)

Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
[Net.ServicePointManager]::SecurityProtocol = [Net.SecurityProtocolType]::Tls12

$headers = @{}
if ($TokenFile) { $headers['Authorization'] = 'Bearer ' + (Get-Content -LiteralPath $TokenFile -TotalCount 1).Trim() }
$base = $Service.TrimEnd('/')

function Invoke-Service([string] $Method, [string] $Path, $Body) {
  $request = @{ Method = $Method; Uri = $base + $Path; Headers = $headers; TimeoutSec = 10; UseBasicParsing = $true }
  if ($null -ne $Body) {
    $request['Body'] = [Text.Encoding]::UTF8.GetBytes((ConvertTo-Json -InputObject $Body -Depth 6 -Compress))
    $request['ContentType'] = 'application/json'
  }
  Invoke-RestMethod @request
}

$at = $To.LastIndexOf(':')
if ($at -lt 1) { Write-Error "-To ${To}: expected HOST:PORT" }
$target = [Net.Dns]::GetHostAddresses($To.Substring(0, $at).Trim('[', ']'))[0]
$port = [int] $To.Substring($at + 1)
$own = @([Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces() |
    ForEach-Object { $_.GetIPProperties().UnicastAddresses } |
    ForEach-Object { $_.Address.ToString().Split('%')[0] } |
    Where-Object { $_ -ne '127.0.0.1' -and $_ -ne '::1' } | Select-Object -Unique -First 16)

$bytes = $SizeKiB * 1024
$announcement = @{
  host = [Environment]::MachineName; ips = $own; to = @{ ip = $target.ToString(); port = $port }; bytes = $bytes + 65536
}
$id = (Invoke-Service 'POST' '/v1/drills' $announcement).id
$name = "$id.waybill-drill.invalid"
$folder = Join-Path ([IO.Path]::GetTempPath()) "waybill-drill-$PID"
$archive = Join-Path $folder "waybill-drill-$id.zip"
$started = [DateTime]::UtcNow

try {
  [void] (New-Item -ItemType Directory -Path $folder)
  $content = New-Object byte[] $bytes
  $random = [Security.Cryptography.RandomNumberGenerator]::Create()
  $random.GetBytes($content)
  [IO.File]::WriteAllBytes((Join-Path $folder 'waybill-drill.bin'), $content)
  Compress-Archive -Path (Join-Path $folder 'waybill-drill.bin') -DestinationPath $archive
  $zip = [IO.File]::ReadAllBytes($archive)
  $packed = [DateTime]::UtcNow

  $client = New-Object Net.Sockets.TcpClient($target.AddressFamily)
  $client.Connect($target, $port)
  $connected = [DateTime]::UtcNow
  # Whose certificate it is does not matter: nothing secret is sent.
  $check = [Net.Security.RemoteCertificateValidationCallback] { $true }
  $tls = New-Object Net.Security.SslStream($client.GetStream(), $false, $check)
  $tls.AuthenticateAsClient($name)
  $head = "PUT /waybill-drill-$id.zip HTTP/1.1`r`nHost: $name`r`nContent-Type: application/zip`r`nContent-Length: $($zip.Length)`r`nConnection: close`r`n`r`n"
  $headBytes = [Text.Encoding]::ASCII.GetBytes($head)
  $tls.Write($headBytes, 0, $headBytes.Length)
  $tls.Write($zip, 0, $zip.Length)
  $tls.Flush()
  $tls.ReadTimeout = 10000
  $answer = New-Object byte[] 4096
  try { [void] $tls.Read($answer, 0, $answer.Length) } catch { Write-Verbose 'the other side answers nothing' }
  $tls.Dispose()
  $client.Close()
} finally {
  Remove-Item -LiteralPath $folder -Recurse -Force -ErrorAction SilentlyContinue
}

$happened = @{ process = $started; archive = $packed; connection = $connected; flow = $connected; join = $connected; alert = $connected }
$first = @{}
$end = [DateTime]::UtcNow.AddSeconds($WaitSeconds)
do {
  $sightings = @((Invoke-Service 'GET' "/v1/drills/${id}?pid=$PID" $null).points)
  foreach ($sighting in $sightings) {
    if ($sighting.seen -and -not $first.ContainsKey($sighting.point)) { $first[$sighting.point] = [DateTime]::UtcNow }
  }
  if ($first.Count -eq $sightings.Count) { break }
  Start-Sleep -Milliseconds 500
} while ([DateTime]::UtcNow -lt $end)

$points = @()
foreach ($sighting in @((Invoke-Service 'GET' "/v1/drills/${id}?pid=$PID&thorough=1" $null).points)) {
  $point = @{
    point = $sighting.point; seen = [bool] $sighting.seen; detail = $sighting.detail
    at = $happened[$sighting.point].ToString('yyyy-MM-ddTHH:mm:ss.fffZ')
  }
  $state = 'MISSING'
  if ($sighting.seen) {
    $seenAt = if ($first.ContainsKey($sighting.point)) { $first[$sighting.point] } else { [DateTime]::UtcNow }
    $point['late_seconds'] = [Math]::Max(0, ($seenAt - $happened[$sighting.point]).TotalSeconds)
    $state = '{0:N1} s late' -f $point['late_seconds']
  } else {
    $point['mend'] = $sighting.mend
  }
  $points += $point
  '  {0,-11} {1,-12} {2}' -f $sighting.point, $state, $sighting.detail
  if (-not $sighting.seen) { '{0}mend: {1}' -f (' ' * 27), $sighting.mend }
}
$alert = @($sightings | Where-Object { $_.point -eq 'alert' -and $_.seen })
$report = @{
  id = $id; at = $started.ToString('yyyy-MM-ddTHH:mm:ss.fffZ'); host = [Environment]::MachineName
  program = (Get-Process -Id $PID).Path; pid = $PID; to = "$target port $port as $name"
  archive_bytes = $zip.Length; sent_bytes = $zip.Length; passed = $alert.Count -gt 0; points = $points
}
if ($alert.Count -gt 0) { $report['alert'] = $alert[0].id }
[void] (Invoke-Service 'POST' "/v1/drills/$id/report" $report)
if ($alert.Count -gt 0) { "The alert came: $($alert[0].id)"; exit 0 }
'No alert came.'
exit 1
