package install

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func text(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// A checkout on Windows may have other line ends.
	return strings.ReplaceAll(string(content), "\r\n", "\n")
}

// tokens is PowerShell taken apart as far as these tests need: strings, comments, and code.
var tokens = regexp.MustCompile("(?s)<#.*?#>|#[^\n]*|'(?:[^']|'')*'|\"(?:[^\"`]|`.|\"\")*\"")

// code returns the script with the strings and comments blanked out.
func code(script string) string {
	return tokens.ReplaceAllStringFunc(script, func(token string) string {
		switch token[0] {
		case '<', '#':
			return ""
		default:
			return token[:1] + token[:1]
		}
	})
}

func TestPowerShellIsBalanced(t *testing.T) {
	var open []rune
	closing := map[rune]rune{')': '(', ']': '[', '}': '{'}
	for _, c := range code(text(t, "../install.ps1")) {
		switch c {
		case '(', '[', '{':
			open = append(open, c)
		case ')', ']', '}':
			if len(open) == 0 || open[len(open)-1] != closing[c] {
				t.Fatalf("%c closes nothing; open are %q", c, open)
			}
			open = open[:len(open)-1]
		}
	}
	if len(open) > 0 {
		t.Errorf("never closed: %q", open)
	}
}

// Windows PowerShell 5.1 reads files without a byte order mark in the system's code page, and knows less than PowerShell 7.
func TestPowerShellIsThatOf51(t *testing.T) {
	script := text(t, "../install.ps1")
	for i, c := range script {
		if c != '\n' && (c < ' ' || c > '~') {
			t.Errorf("byte %d is %q; only ASCII is safe", i, c)
		}
	}
	for _, forbidden := range []string{
		`\?\?`, `\?\.`, `\?\[`, `&&`, `\|\|`, `\s\?\s`, `(?i)\bInvoke-Expression\b`, `(?i)\biex\b`, `(?i)-Parallel\b`, `(?i)\bclean\s*\{`,
		`(?i)\$IsWindows\b`, `(?i)-SkipCertificateCheck\b`, `(?i)-AsHashtable\b`, `(?i)Invoke-WebRequest`, `(?i)ServerCertificateValidationCallback`,
	} {
		if found := regexp.MustCompile(forbidden).FindString(code(script)); found != "" {
			t.Errorf("has %q", found)
		}
	}
}

// Every variable that is read has been written somewhere: strict mode ends the script at the others.
func TestPowerShellVariables(t *testing.T) {
	script := tokens.ReplaceAllStringFunc(text(t, "../install.ps1"), func(token string) string {
		if token[0] == '"' {
			return token
		}
		return ""
	})
	known := strings.Fields("_ null true false executioncontext pscommandpath matches lastexitcode")
	for _, assigned := range regexp.MustCompile(`\$(\w+)\s*\+?=[^=]|\]\$(\w+)|foreach \(\$(\w+) in`).FindAllStringSubmatch(script, -1) {
		known = append(known, strings.ToLower(assigned[1]+assigned[2]+assigned[3]))
	}
	used := regexp.MustCompile(`\$\{?(\w+)(:\w+)?`).FindAllStringSubmatch(script, -1)
	if len(used) < 100 {
		t.Fatalf("only %d variables found", len(used))
	}
	for _, variable := range used {
		if variable[2] == "" && !slices.Contains(known, strings.ToLower(variable[1])) {
			t.Errorf("%s is never assigned", variable[0])
		}
	}
}

// Every function that is called is there, and every one that is there is called.
func TestPowerShellFunctions(t *testing.T) {
	body := code(text(t, "../install.ps1"))
	builtin := strings.Fields("Get-ItemProperty Get-FileHash Get-Item Get-Command Set-ItemProperty Set-StrictMode Join-Path Split-Path New-Object Out-String " +
		"Remove-Item Expand-Archive Write-Output Where-Object ForEach-Object Select-Object")
	defined := map[string]bool{}
	for _, name := range regexp.MustCompile(`(?m)^function ([A-Z][\w-]+)`).FindAllStringSubmatch(body, -1) {
		defined[name[1]] = false
	}
	body = regexp.MustCompile(`(?m)^function [A-Z][\w-]+`).ReplaceAllString(body, "")
	for _, name := range regexp.MustCompile(`\b[A-Z][a-z]+-[A-Z]\w+`).FindAllString(body, -1) {
		if _, ours := defined[name]; ours {
			defined[name] = true
		} else if !slices.Contains(builtin, name) {
			t.Errorf("%s is neither ours nor of PowerShell 5.1", name)
		}
	}
	for name, called := range defined {
		if !called {
			t.Errorf("%s is never called", name)
		}
	}
}

// Both scripts speak of the same release, ask cosign the same, and have the same flags.
func TestScriptsAgree(t *testing.T) {
	shell, power := text(t, "../install.sh"), text(t, "../install.ps1")
	for _, shared := range []string{
		"https://github.com/tracebloc/kubectl-tracebloc", "https://token.actions.githubusercontent.com", "/.github/workflows/release.yaml@refs/tags/",
		"/latest", "/tag/", "/download/", "SHA256SUMS.sigstore.json", "TRACEBLOC_BASE_URL", "verify-blob", "--bundle", "--new-bundle-format",
		"--certificate-identity", "--certificate-oidc-issuer", "kubectl-tracebloc", "kubectl_complete-tracebloc", "v1.2.3", "which is no version",
		"cosign is not on the PATH: the sum is verified, its signature is not", "does not run on this machine from", "kubectl tracebloc --help",
		"https://kubernetes.io/docs/tasks/tools/", "a place without https",
	} {
		if !strings.Contains(shell, shared) || !strings.Contains(power, shared) {
			t.Errorf("%q is in install.sh: %v, in install.ps1: %v", shared, strings.Contains(shell, shared), strings.Contains(power, shared))
		}
	}
	for flag, parameter := range map[string]string{
		"--version vX.Y.Z": "[string]$Version", "--prefix DIR": "[string]$Prefix", "--base-url URL": "[string]$BaseUrl",
		"--skip-signature": "[switch]$SkipSignature", "--dry-run": "[switch]$DryRun",
	} {
		if !strings.Contains(shell, "  "+flag+" ") || !strings.Contains(power, parameter) {
			t.Errorf("%s of install.sh and %s of install.ps1 are not both there", flag, parameter)
		}
		_, name, _ := strings.Cut(parameter, "$")
		if !strings.Contains(power, "\n.PARAMETER "+name+"\n") {
			t.Errorf("install.ps1 does not describe %s", name)
		}
	}
}
