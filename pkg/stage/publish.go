package stage

import "context"

// publish has an attempt verified on the volume and published. It is a session of its own that only starts when everything was received:
// a session that was lost and still runs cannot publish, and this one can be asked again when its answer is lost.
func (v *Volume) publish(ctx context.Context, plan Plan, attempt attempt, sums string) error {
	return v.ask(ctx, plan, call{script: publishScript, attempt: attempt, arguments: append(plan.totals(), sums)}, func(a answer) (bool, error) {
		return a.verb == ansPublished && a.field(0) == plan.TreeID, nil
	})
}
