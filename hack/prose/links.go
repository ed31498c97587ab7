package main

import (
	_ "embed"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// hostList has the hosts that documents may link to, one on a line: a new one is a decision.
//
//go:embed hosts.txt
var hostList string

// The forms of a link. Of the first two the target is the first group.
var (
	inline    = regexp.MustCompile(`\]\(\s*<?([^()\s<>]*(?:\([^()\s]*\)[^()\s<>]*)*)>?(?:\s+"[^"]*")?\s*\)`)
	defined   = regexp.MustCompile(`(?m)^ {0,3}\[([^\]]+)\]:[ \t]+<?([^\s<>]+)>?`)
	reference = regexp.MustCompile(`\[([^\[\]]+)\]\[([^\[\]]*)\]`)
	bare      = regexp.MustCompile(`https?://[^\s<>()\[\]"'` + hidden + `]+`)
	scheme    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9+.-]*:`)
)

// link is a target and where it stands.
type link struct {
	line   int
	target string
}

// links finds all links of the page, in their order by kind, and the references that are not defined.
func (p *page) links() (links []link, undefined []problem) {
	rest := []byte(p.prose)
	take := func(m []int, group int) {
		links = append(links, link{p.lineOf(m[0]), p.text[m[2*group]:m[2*group+1]]})
		for i := m[0]; i < m[1]; i++ {
			if rest[i] != '\n' {
				rest[i] = hidden[0]
			}
		}
	}
	definitions := map[string]bool{}
	for _, m := range defined.FindAllStringSubmatchIndex(p.prose, -1) {
		definitions[strings.ToLower(p.text[m[2]:m[3]])] = true
		take(m, 2)
	}
	for _, m := range inline.FindAllStringSubmatchIndex(string(rest), -1) {
		take(m, 1)
	}
	for _, m := range reference.FindAllStringSubmatchIndex(string(rest), -1) {
		label := p.text[m[4]:m[5]]
		if label == "" {
			label = p.text[m[2]:m[3]]
		}
		if !definitions[strings.ToLower(label)] {
			undefined = append(undefined, problem{p.name, p.lineOf(m[0]), fmt.Sprintf("the link %q is defined nowhere on the page", label)})
		}
	}
	for _, m := range bare.FindAllStringIndex(string(rest), -1) {
		links = append(links, link{p.lineOf(m[0]), strings.TrimRight(p.text[m[0]:m[1]], ".,;:!?*_")})
	}
	return links, undefined
}

func (r *repository) checkLinks(p *page) []problem {
	links, problems := p.links()
	for _, l := range links {
		if wrong := r.follow(p, l.target); wrong != "" {
			problems = append(problems, problem{p.name, l.line, fmt.Sprintf("link %q: %s", l.target, wrong)})
		}
	}
	return problems
}

// follow says what is wrong with a link on the page, or nothing.
func (r *repository) follow(p *page, target string) string {
	switch {
	case target == "":
		return "it leads nowhere"
	case strings.HasPrefix(target, "mailto:"):
		return ""
	case scheme.MatchString(target):
		return followOut(target)
	case strings.HasPrefix(target, "/"):
		return "write it relative to the page, which GitHub and an editor both understand"
	}
	file, anchor, _ := strings.Cut(target, "#")
	file, err := url.PathUnescape(file)
	if err != nil {
		return err.Error()
	}
	to := p.name
	if file != "" {
		to = path.Join(path.Dir(p.name), file)
	}
	switch {
	case to == ".." || strings.HasPrefix(to, "../"):
		return "it leads out of the repository"
	case !r.files[to] && !r.dirs[to]:
		return fmt.Sprintf("there is no file %q in the repository", to)
	case !strings.Contains(target, "#"):
		return ""
	case path.Ext(to) != ".md":
		return fmt.Sprintf("only pages have anchors, and %q is none", to)
	}
	at, err := r.page(to)
	if err != nil {
		return err.Error()
	}
	if !at.anchors[anchor] {
		return fmt.Sprintf("no heading of %q has the anchor %q", to, anchor)
	}
	return ""
}

// followOut judges an external link without asking its host.
func followOut(target string) string {
	u, err := url.Parse(target)
	switch {
	case err != nil:
		return err.Error()
	case u.Scheme != "https":
		return "external links are https"
	case !knownHost(u.Hostname()):
		return fmt.Sprintf("the host %q is not in hack/prose/hosts.txt", u.Hostname())
	}
	return ""
}

// knownHost allows for the names that stand for others in examples, too.
func knownHost(host string) bool {
	return host == "example.com" || strings.HasSuffix(host, ".example.com") || slices.Contains(strings.Fields(hostList), host)
}
