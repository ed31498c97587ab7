package release

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/go-sql-driver/mysql"

	"github.com/tracebloc/kubectl-tracebloc/e2e/release/manifests"
)

// DB opens the release's database through a port-forward. done closes both.
func (r *Release) DB(ctx context.Context) (db *sql.DB, done func(), err error) {
	pod, err := r.ReadyPod(ctx, "mysql-client")
	if err != nil {
		return nil, nil, err
	}
	address, stop, err := r.Forward(ctx, pod, 3306)
	if err != nil {
		return nil, nil, err
	}
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr = "tcp", address
	cfg.User, cfg.Passwd, cfg.DBName = manifests.DatabaseUser, manifests.DatabasePassword, manifests.DatabaseName
	cfg.Logger = log.New(io.Discard, "", 0)
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("open the database: %w", err)
	}
	db = sql.OpenDB(connector)
	return db, func() { _ = db.Close(); stop() }, nil
}

// Table is the content of a table: its columns in order, and its rows with nil for NULL.
type Table struct {
	Columns []string
	Rows    []Row
}

// Row is one row by column name: a string, or nil for NULL.
type Row map[string]any

// Rows reads a table of the release in the order of insertion.
func (r *Release) Rows(ctx context.Context, table string) (Table, error) {
	db, done, err := r.DB(ctx)
	if err != nil {
		return Table{}, err
	}
	defer done()
	result, err := db.QueryContext(ctx, strings.Join([]string{"SELECT * FROM", quote(table), "ORDER BY id"}, " "))
	if err != nil {
		return Table{}, fmt.Errorf("read table %q: %w", table, err)
	}
	defer func() { _ = result.Close() }()
	columns, err := result.Columns()
	if err != nil {
		return Table{}, fmt.Errorf("read table %q: %w", table, err)
	}
	t := Table{Columns: columns}
	for result.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := result.Scan(into...); err != nil {
			return Table{}, fmt.Errorf("read table %q: %w", table, err)
		}
		row := Row{}
		for i, c := range columns {
			row[c] = nil
			if values[i].Valid {
				row[c] = values[i].String
			}
		}
		t.Rows = append(t.Rows, row)
	}
	return t, result.Err()
}

// quote makes an SQL identifier of a name.
func quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// HasTable says whether the table exists: a failed run leaves an empty one.
func (r *Release) HasTable(ctx context.Context, table string) (bool, error) {
	db, done, err := r.DB(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	var n int
	err = db.QueryRowContext(ctx, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?", table).Scan(&n)
	return n > 0, err
}
