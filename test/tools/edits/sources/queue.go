// Package queue runs jobs with a bounded number of workers.
package queue

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrClosed is returned for a job that comes after Close.
var ErrClosed = errors.New("queue: closed")

const defaultWorkers = 4

// Job is one piece of work.
type Job struct {
	Name     string
	Attempts int
	Timeout  time.Duration
	Run      func(ctx context.Context) error
}

// Queue hands jobs to workers in the order of their arrival.
type Queue struct {
	mu      sync.Mutex
	closed  bool
	jobs    chan Job
	errs    map[string]error
	wg      sync.WaitGroup
	onError func(name string, err error)
}

// New starts the workers; zero or fewer means the default number.
func New(workers int, onError func(string, error)) *Queue {
	if workers <= 0 {
		workers = defaultWorkers
	}
	q := &Queue{
		jobs:    make(chan Job, workers*2),
		errs:    map[string]error{},
		onError: onError,
	}
	for i := 0; i < workers; i++ {
		q.wg.Add(1)
		go q.work()
	}
	return q
}

// Add waits for room and hands the job over.
func (q *Queue) Add(job Job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	if job.Attempts < 1 {
		job.Attempts = 1
	}

	q.jobs <- job
	return nil
}

func (q *Queue) work() {
	defer q.wg.Done()
	for job := range q.jobs {
		if err := q.try(job); err != nil {
			q.mu.Lock()
			q.errs[job.Name] = err
			q.mu.Unlock()
			if q.onError != nil {
				q.onError(job.Name, err)
			}
		}
	}
}

func (q *Queue) try(job Job) error {
	var last error
	for attempt := 1; attempt <= job.Attempts; attempt++ {
		ctx, cancel := context.WithTimeout(context.Background(), job.Timeout)
		last = job.Run(ctx)
		cancel()
		if last == nil {
			return nil
		}

		// Wait longer each time, but never more than a minute.
		pause := time.Duration(attempt*attempt) * 100 * time.Millisecond
		if pause > time.Minute {
			pause = time.Minute
		}
		time.Sleep(pause)
	}
	return fmt.Errorf("%s: gave up after %d attempts: %w", job.Name, job.Attempts, last)
}

// Close lets the workers finish and tells what went wrong.
func (q *Queue) Close() map[string]error {
	q.mu.Lock()
	if !q.closed {
		q.closed = true
		close(q.jobs)
	}
	q.mu.Unlock()

	q.wg.Wait()
	return q.errs
}
