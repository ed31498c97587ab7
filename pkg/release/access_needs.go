package release

import "slices"

// Role names what a group of commands needs of the API server. The directory
// hack/rbac has a Kubernetes Role of each name, and docs/rbac.md explains them.
type Role string

// The roles. RoleCancel and RoleCleanup come on top of RoleWatch. RolePush has
// what RoleWatch and RoleCleanup cannot do without.
const (
	// RolePush is what push needs, its dry run and info.
	RolePush Role = "push"
	// RoleWatch is what runs, status, logs and wait need.
	RoleWatch Role = "watch"
	// RoleCancel is what cancel needs.
	RoleCancel Role = "cancel"
	// RoleCleanup is what cleanup needs.
	RoleCleanup Role = "cleanup"
)

// Roles are all of them, in the order of the docs.
func Roles() []Role { return []Role{RolePush, RoleWatch, RoleCancel, RoleCleanup} }

// who begins a sentence about what the role lacks.
func (role Role) who() string {
	switch role {
	case RolePush:
		return "a push needs"
	case RoleCancel:
		return "canceling a run needs"
	case RoleCleanup:
		return "a cleanup needs"
	default:
		return "watching runs needs"
	}
}

// covers reports whether a call of the role other is one of this role too.
func (role Role) covers(other Role) bool {
	return role == other || other == RoleWatch && (role == RoleCancel || role == RoleCleanup)
}

// need is one API call, and the roles that make it.
type need struct {
	Check
	roles []Role
}

// The names that every chart uses; a Release that is not known yet has none
// (contract cluster.md §1.1).
const (
	chartClaim   = "client-pvc"
	chartAccount = "ingestor"
)

// needs is the one list of the calls that commands make, in the order in which
// people read it. Everything else about permissions is made from it: what is
// asked before an upload, the Roles in hack/rbac and the table in docs/rbac.md.
func (r *Release) needs(account string) []need {
	push, all := []Role{RolePush}, []Role{RolePush, RoleWatch}
	volume := []Role{RolePush, RoleCleanup}
	claim := chartClaim
	if r.PVC.Name != "" {
		claim = r.PVC.Name
	}
	needs := []need{
		{Check{Verb: "list", Group: "apps", Resource: "deployments", For: "find the release"}, volume},
		{Check{Verb: "get", Resource: "services", Name: ServiceName, For: "find the ingestion endpoint"}, volume},
		{Check{Verb: "get", Resource: "configmaps", Name: r.AuthzConfigMap, For: "read the ingestion policy"}, push},
		{Check{Verb: "list", Resource: "configmaps", For: "find earlier runs and their tables"}, all},
		{Check{Verb: "watch", Resource: "configmaps", For: "see at once what runs -w has to show", Optional: true}, []Role{RoleWatch}},
		{Check{Verb: "get", Resource: "persistentvolumeclaims", Name: claim, For: "check the shared volume"}, volume},
		{Check{Verb: "get", Resource: "namespaces", Name: r.Namespace, For: "see whether OpenShift assigns the ids", Optional: true}, volume},
		{Check{Verb: "create", Resource: "pods", For: "start the stage Pod"}, volume},
		{Check{Verb: "get", Resource: "pods", For: "look after the stage Pod and follow the run"}, all},
		{Check{Verb: "list", Resource: "pods", For: "find jobs-manager and follow the run"}, all},
		{Check{Verb: "watch", Resource: "pods", For: "wait for the stage Pod and follow the run"}, all},
		{Check{Verb: "delete", Resource: "pods", For: "remove the stage Pod"}, volume},
		{tokenCheck(account), push},
		{Check{Verb: "list", Group: "batch", Resource: "jobs", For: "find earlier runs"}, all},
		{Check{Verb: "get", Group: "batch", Resource: "jobs", For: "follow the run"}, all},
		{Check{Verb: "watch", Group: "batch", Resource: "jobs", For: "follow the run"}, all},
		{Check{Verb: "delete", Group: "batch", Resource: "jobs", For: "cancel a run"}, []Role{RoleCancel}},
		{Check{Verb: "get", Resource: "pods", Subresource: "log", For: "read the log of the run"}, all},
		{Check{Verb: "list", Resource: "events", For: "explain why a Pod does not start", Optional: true}, all},
		{Check{Verb: "watch", Resource: "events", For: "see at once why a Pod does not start", Optional: true}, all},
	}
	for _, check := range streamChecks("exec", "copy the files into the stage Pod") {
		needs = append(needs, need{check, volume})
	}
	for _, check := range streamChecks("portforward", "reach jobs-manager") {
		needs = append(needs, need{check, push})
	}
	for i := range needs {
		needs[i].Namespace = r.Namespace
	}
	return needs
}

// PushChecks lists every call that a push to this release makes from here on
// and made on the way here (contract cluster.md §3.1). What is not known of the
// Release yet, and an empty account, get the names that every chart uses.
func (r *Release) PushChecks(serviceAccount string) []Check {
	return r.Checks(RolePush, serviceAccount)
}

// Checks lists every call that the commands of a role make, those of RoleWatch
// among them where the role comes on top of it. An empty Namespace asks for all
// namespaces. The service account is that of a push, and may be empty.
func (r *Release) Checks(role Role, serviceAccount string) []Check {
	var checks []Check
	for _, n := range r.needs(serviceAccount) {
		if slices.ContainsFunc(n.roles, role.covers) {
			n.Role = role
			checks = append(checks, n.Check)
		}
	}
	return checks
}

func tokenCheck(account string) Check {
	if account == "" {
		account = chartAccount
	}
	return Check{Verb: "create", Resource: "serviceaccounts", Subresource: "token", Name: account, For: "make the token for the submit"}
}

// streamChecks are the two verbs of a streaming subresource. A WebSocket needs
// get, and from Kubernetes 1.35 on create as well; SPDY needs create only. So
// create is what must be there, and without get the client falls back to SPDY.
func streamChecks(subresource, purpose string) []Check {
	return []Check{
		{Verb: "create", Resource: "pods", Subresource: subresource, For: purpose},
		{Verb: "get", Resource: "pods", Subresource: subresource, For: purpose + " over WebSocket rather than SPDY", Optional: true},
	}
}
